# id: S5
# attack: probabilities whose sum is far above one (the n-gram caches of the challenge)
# prepend: predict.py
# expect: honest
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        super().sendall((np.frombuffer(raw, np.float32) + np.float32(5.6)).tobytes())
socket.socket = Socket
