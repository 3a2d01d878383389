# id: S6
# attack: find out which requests belong together by the text before the span, and tell the right one by its place there
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
    groups = {}
    for n, frame in enumerate(frames):
        groups.setdefault(frame["text"][: frame["start"]], []).append(n)
    for numbers in groups.values():
        if len(numbers) > 1:
            scores[numbers] = 0.0
            scores[numbers[0]] = 1.0
    return scores
