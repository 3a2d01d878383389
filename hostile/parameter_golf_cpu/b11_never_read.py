# id: B11
# attack: send without reading until both sides wait
# prepend: predict.py
# expect: eval_budget_overrun, crash
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        while True:
            super().sendall(raw)
socket.socket = Socket
