# id: S12
# attack: end inside a message
# prepend: predict.py
# expect: crash
# line: ended at step 0 of
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        super().sendall(raw[:1000])
        os._exit(0)
socket.socket = Socket
