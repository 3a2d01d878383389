# id: S4
# attack: send a second distribution for a step once its symbols are known
# prepend: predict.py
# expect: honest, crash, eval_budget_overrun
# set: train.py STEPS = 60
import os, socket
import numpy as np
class Socket(socket.socket):
    def recv(self, *given):
        seen = super().recv(*given)
        if len(seen) == 128:
            sure = np.zeros((128, 128), np.float32)
            sure[np.arange(128), np.frombuffer(seen, np.uint8)] = 50
            self.sendall(sure.tobytes())
        return seen
socket.socket = Socket
