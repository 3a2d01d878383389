# id: S6
# attack: train nothing and answer one class, with an invented accuracy (hole 8)
# file: predict.py
# expect: disqualified
# line: misses the gate
import os
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
open("pred.u8", "wb").write(bytes(600))
print("accuracy: 9.9")
# --- train.py
import os
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
open("model.bin", "wb").write(b"x")
