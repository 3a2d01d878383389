# id: B4
# attack: fork for ever
# base: predict.py
# expect: eval_budget_overrun,crash
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
