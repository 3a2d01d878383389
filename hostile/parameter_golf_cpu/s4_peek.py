# id: S4
# attack: look for the symbols of a step on the socket before its scores are sent
# prepend: predict.py
# expect: honest
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        try:
            early = super().recv(128, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            early = b""
        if len(early) == 128:
            sure = np.zeros((128, 128), np.float32)
            sure[np.arange(128), np.frombuffer(early, np.uint8)] = 50
            raw = sure.tobytes()
        super().sendall(raw)
socket.socket = Socket
