"""The net, its bytes and its inputs: shared by train.py and predict.py."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

WIDTH = 16  # [arch] channels of the first convolution, doubled after it; 6 to 48
DEPTH = 1  # [arch] convolutions after the pooling; 0 to 3
GRID = 2  # [arch] cells per side that the last pooling keeps; 1 to 4
DROPOUT = 0.0  # [reg] share of features hidden from the classifier; 0.0 to 0.5

DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
torch.set_num_threads(1)  # the clock counts CPU seconds: threads would only add overhead


def build() -> nn.Sequential:
    """Convolutions with batch norm, pooled once in the middle and once at the end, then one linear layer."""

    def conv(n_in: int, n_out: int) -> list[nn.Module]:
        return [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]

    wide = 2 * WIDTH
    body = [*conv(1, WIDTH), *conv(WIDTH, wide), nn.MaxPool2d(2)]
    for _ in range(DEPTH):
        body += conv(wide, wide)
    head = [nn.AdaptiveMaxPool2d(GRID), nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(wide * GRID * GRID, 10)]
    return nn.Sequential(*body, *head)


def images(name: str) -> Tensor:
    """Read images as N x 1 x 8 x 8 floats around zero; a pixel is 0 to 255 in the file."""
    return torch.from_numpy(np.load(DATA / name)).float()[:, None] / 255 - 0.3


def _floats(net: nn.Module) -> list[Tensor]:
    """Weights and batch-norm statistics in a fixed order; step counters are not needed to predict."""
    return [t for t in net.state_dict().values() if t.is_floating_point()]


def save(net: nn.Module) -> None:
    """Write every number as a 16-bit float to model.bin."""
    (OUT / "model.bin").write_bytes(torch.cat([t.flatten() for t in _floats(net)]).half().numpy().tobytes())


def load() -> nn.Module:
    """The net that `save` wrote, ready to predict."""
    net, start = build().eval(), 0
    numbers = torch.from_numpy(np.fromfile(DATA / "model.bin", np.float16).astype(np.float32))
    for t in _floats(net):
        t.copy_(numbers[start : start + t.numel()].view_as(t))
        start += t.numel()
    return net
