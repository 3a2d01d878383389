# id: T11
# attack: end a moment after the limit, inside somebody's tolerance
# base: fit.py
# expect: train_budget_overrun
# line: killed at 1.0 s; the limit is 1 s
import time
time.sleep(1.3)
