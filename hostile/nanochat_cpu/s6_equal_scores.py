# id: S6
# attack: the same number for every request, hoping that a tie goes to the right one
# prepend: serve.py
# set: train.py STEPS = 60
# expect: honest
import socket
import numpy as np
class Cheat(socket.socket):
    frames = None
    def recv(self, size, *flags):
        got = super().recv(size, *flags)
        if size > 1000 and self.frames is None:
            self.frames = np.frombuffer(got, [("length", "u1"), ("start", "u1"), ("text", "S64")])
        return got
    def sendall(self, said):
        if self.frames is not None and len(said) == 4 * len(self.frames):
            said = change(self.frames, np.frombuffer(said, "<f4").copy()).astype("<f4").tobytes()
        super().sendall(said)
socket.socket = Cheat

def change(frames, scores):
    return np.zeros(len(scores))
