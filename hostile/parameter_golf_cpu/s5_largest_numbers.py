# id: S5
# attack: every score at the largest finite float, so that each symbol looks certain
# prepend: predict.py
# expect: honest
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        super().sendall(np.full(len(raw) // 4, np.finfo(np.float32).max).tobytes())
socket.socket = Socket
