# id: T9
# attack: start as many busy processes as are allowed, to slow others
# base: predict.py
# expect: eval_budget_overrun
# line: killed at 1.0 s
import os
for _ in range(12):
    if os.fork() == 0:
        while True: pass
while True: pass
