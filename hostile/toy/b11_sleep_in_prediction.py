# id: B11
# attack: sleep through the prediction budget
# base: predict.py
# expect: eval_budget_overrun
# line: killed at 1.0 s
import time
time.sleep(600)
