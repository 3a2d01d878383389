# id: S4
# attack: send the scores of all steps at once, then read
# prepend: predict.py
# expect: honest, crash, eval_budget_overrun
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def sendall(self, raw):
        if not getattr(self, "done", False):
            self.done = True
            super().sendall(raw * 800)
socket.socket = Socket
