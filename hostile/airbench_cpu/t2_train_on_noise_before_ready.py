# id: T2
# attack: do all training before READY, where there is only noise (hole 10)
# file: train.py
# expect: disqualified
# line: misses the gate
import torch
from model import build, save
net = build()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(30):
    loss = torch.nn.functional.cross_entropy(net(torch.randn(64, 1, 8, 8)), torch.randint(0, 10, (64,)))
    optimizer.zero_grad(); loss.backward(); optimizer.step()
import os
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()
save(net)
os._exit(0)
