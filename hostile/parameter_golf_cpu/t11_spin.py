# id: T11
# attack: think about one symbol for longer than the limit
# prepend: predict.py
# expect: eval_budget_overrun
# line: the limit is 3 s
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        while True:
            pass
socket.socket = Socket
