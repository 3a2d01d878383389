# id: S11
# attack: close the control pipe after READY, so that GO fails in the harness
# file: fit.py
# expect: crash
# line: exited 5
import os, time
control = open(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.close()
raise SystemExit(5)
