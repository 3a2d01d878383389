# id: D2
# attack: train on the test images
# prepend: train.py
# expect: crash
# line: FileNotFoundError
import os
_exit = os._exit
def late(code):
    open("/data/test_x.npy", "rb").read()
    _exit(code)
os._exit = late
