# id: S11
# attack: fill the control pipe without a line break before READY, so that the harness reads for ever
# file: fit.py
# expect: crash
# line: did not say READY
import os
while True:
    os.write(int(os.environ["ESPALIER_CONTROL"]), b"x" * 65536)
