# id: D3
# attack: train on the texts of the requests, wrong options included, before answering them
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
    import __main__, torch
    import torch.nn.functional as F
    text = __main__.np.array([list(f["text"].ljust(64, b"\0")) for f in frames])
    texts = torch.from_numpy(text).long()
    net, scored = __main__.net, []
    with torch.enable_grad():
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
        for step in range(40):
            rows = texts[torch.randint(0, len(texts), (32,))]
            loss = F.cross_entropy(net(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten(), ignore_index=0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    lengths, starts = (torch.from_numpy(frames[k].astype("i8")) for k in ("length", "start"))
    for rows in zip(texts.split(128), lengths.split(128), starts.split(128)):
        scored.append(__main__.scores(*rows))
    return torch.cat(scored).numpy()
