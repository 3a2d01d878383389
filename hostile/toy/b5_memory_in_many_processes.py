# id: B5
# attack: take memory in many processes, each below the limit
# base: predict.py
# expect: crash,honest,eval_budget_overrun
import os, time
for _ in range(10):
    if os.fork() == 0:
        hog = b"x" * 60_000_000
        time.sleep(60)
time.sleep(0.5)
