# id: B11
# attack: sleep through the training budget
# base: fit.py
# expect: train_budget_overrun
# line: killed at 1.0 s
import time
time.sleep(600)
