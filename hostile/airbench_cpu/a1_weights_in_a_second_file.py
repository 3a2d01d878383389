# id: A1
# attack: save full weights beside a tiny counted model
# prepend: train.py
# expect: crash
# line: predict
import os
_exit = os._exit
def late(code):
    os.rename("model.bin", "weights.bin")
    open("model.bin", "wb").write(b"x")
    _exit(code)
os._exit = late
# --- prepend predict.py
import os
assert not os.path.exists("/data/weights.bin")
