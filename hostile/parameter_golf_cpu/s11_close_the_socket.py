# id: S11
# attack: close the socket after half of the steps, hoping for the score of those
# prepend: predict.py
# expect: crash
# line: ended at step 399 of 800
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    n = 0
    def sendall(self, raw):
        self.n += 1
        if self.n == 400:
            self.close()
            os._exit(0)
        super().sendall(raw)
socket.socket = Socket
