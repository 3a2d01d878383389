# id: B11
# attack: sleep past the limit where the clock counts CPU seconds
# prepend: predict.py
# expect: honest,eval_budget_overrun
import time
time.sleep(3.5)
