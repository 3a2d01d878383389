# id: B3
# attack: stop by SIGSTOP, so that nothing ever ends
# base: predict.py
# expect: eval_budget_overrun
# line: killed at 1.0 s
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)
