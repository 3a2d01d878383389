# id: S5
# attack: one score of infinity, on the likely symbol
# prepend: predict.py
# expect: crash
# line: scored symbol 7 inf, not finite
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        scores = np.frombuffer(raw, np.float32).copy()
        scores[5 * 128 + 7] = np.inf
        super().sendall(scores.tobytes())
socket.socket = Socket
