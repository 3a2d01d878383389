# id: E2
# attack: a pickled object array as the predictions, for whoever loads it with allow_pickle
# prepend: predict.py
# expect: crash,disqualified
import os
_exit = os._exit
def late(code):
    import numpy as np
    np.save("x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    open("pred.u8", "wb").write(open("x.npy", "rb").read().ljust(600, b"\0")[:600])
    _exit(code)
os._exit = late
