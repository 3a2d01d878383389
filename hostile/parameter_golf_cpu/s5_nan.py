# id: S5
# attack: one score that is no number
# prepend: predict.py
# expect: crash
# line: stream 5, step 0: scored symbol 7 nan
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        scores = np.frombuffer(raw, np.float32).copy()
        scores[5 * 128 + 7] = np.nan
        super().sendall(scores.tobytes())
socket.socket = Socket
