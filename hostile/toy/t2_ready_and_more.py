# id: T2
# attack: say READY and a forged GO in one write
# file: fit.py
# expect: crash
# line: READY
import os, time
os.write(int(os.environ["ESPALIER_CONTROL"]), b"READY\nGO 1\nREADY\n")
time.sleep(5)
