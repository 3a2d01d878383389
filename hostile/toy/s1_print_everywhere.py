# id: S1
# attack: print a score before and after the work, in both phases and on both streams
# base: predict.py
# expect: honest
import sys
for stream in (sys.stdout, sys.stderr):
    print("error: 0.0", '{"metrics": {"error": [0.0, 0.0], "worst": [0.0, 0.0]}}', file=stream)
# --- prepend fit.py
print("train_time_s: 0.001\nerror: 0.0\nmodel bytes: 1", flush=True)
