# id: S5
# attack: claim a class that does not exist
# prepend: predict.py
# expect: crash
# line: holds class 255
import os
_exit = os._exit
def late(code):
    open("pred.u8", "wb").write(bytes([255]) * 600)
    _exit(code)
os._exit = late
