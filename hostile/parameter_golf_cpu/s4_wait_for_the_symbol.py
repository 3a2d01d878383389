# id: S4
# attack: hold the scores back until the symbols of the step arrive
# prepend: predict.py
# expect: honest
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        self.settimeout(0.001)
        try:
            if len(super().recv(128)) == 128:
                raise SystemExit("told before it was asked")
        except TimeoutError:
            pass
        self.settimeout(None)
        super().sendall(raw)
socket.socket = Socket
