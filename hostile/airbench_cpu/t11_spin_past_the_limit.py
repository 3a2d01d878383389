# id: T11
# attack: use more CPU seconds than the phase may
# file: train.py
# expect: train_budget_overrun
# line: killed at 6|killed at 7
import os
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
for _ in range(8):
    if os.fork() == 0: break
while True: pass
