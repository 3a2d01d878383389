# id: T11
# attack: write the artifact from a signal handler when the limit comes
# file: fit.py
# expect: train_budget_overrun
# line: killed at 1.0 s
import os, time
control = open(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()

import signal
for number in range(1, 65):
    try: signal.signal(number, lambda *_: (open("/out/model.json", "w").write("[0, 0, 0, 0, 0]"), os._exit(0)))
    except (OSError, ValueError): pass
time.sleep(60)
