# id: S6
# attack: find out which requests belong together, and tell the right one by how often its span is asked about
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

from collections import Counter
def change(frames, scores):
    spans = [f["text"][f["start"] : f["length"]] for f in frames]
    seen = Counter(spans)
    return np.array([1000.0 * seen[s] for s in spans]) + scores
