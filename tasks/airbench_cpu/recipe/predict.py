"""Read model.bin and the test images, write pred.u8: one class per image."""

import os

import torch
import torch.nn.functional as F
from model import OUT, build, images, load

VIEWS = 1  # [aug] views of a test image that are averaged: as it is, then one pixel left, right, up, down; 1 to 5
SHIFTS = ((1, 1), (1, 2), (1, 0), (2, 1), (0, 1))  # row and column of each view in the padded image

torch.set_grad_enabled(False)
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
build().eval()(torch.randn(600, 1, 8, 8))  # warm-up on noise
control.write(b"READY\n")
control.readline()  # "GO <seed>": the data is there and the clock runs
net, padded = load(), F.pad(images("test_x.npy"), (1,) * 4, value=-0.3)
votes = sum(net(padded[:, :, y : y + 8, x : x + 8]).softmax(1) for y, x in SHIFTS[:VIEWS])
(OUT / "pred.u8").write_bytes(votes.argmax(1).byte().numpy().tobytes())
os._exit(0)  # skips the interpreter's teardown, a fixed cost that would drown the recipe's
