# id: B9
# attack: write a log without end (hole 15)
# base: predict.py
# expect: eval_budget_overrun
# line: killed at 1.0 s
import os
while True: os.write(1, b"x" * 65536)
