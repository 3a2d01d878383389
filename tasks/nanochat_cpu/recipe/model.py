"""A byte transformer and its bytes: shared by train.py and serve.py."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = 2  # [arch] blocks; 1 to 4
HEADS = 4  # [arch] attention heads; 2 to 8
HEAD = 16  # [arch] channels of a head; 8 to 32
EXPAND = 4  # [arch] width of a block's inner layer, in channels; 1 to 6
PAIRS = 1  # [arch] whether the last symbol alone gives the odds a start; 0 to 1
FUSED_ATTENTION = 0  # [sys] whether torch's own kernel replaces mask and softmax written out; 0 to 1

WIDTH = HEADS * HEAD  # channels of every layer
DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
CONTEXT = 64  # symbols that the net sees; no request is longer
SYMBOLS = 128

torch.set_num_threads(1)  # the clock counts CPU seconds: threads would only add overhead


class Block(nn.Module):
    """Causal attention, then two layers with a squared rectifier; both begin as nothing and add to what comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, EXPAND * WIDTH, bias=False)
        self.down = nn.Linear(EXPAND * WIDTH, WIDTH, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        split = self.mix(F.rms_norm(x, (WIDTH,))).view(n, length, 3, HEADS, HEAD)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        if FUSED_ATTENTION:
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            odds = q @ k.transpose(-2, -1) * HEAD**-0.5
            later = torch.ones(length, length, dtype=torch.bool).triu(1)
            seen = odds.masked_fill(later, -torch.inf).softmax(-1) @ v
        x = x + self.out(seen.transpose(1, 2).reshape(n, length, WIDTH))
        return x + self.down(F.relu(self.up(F.rms_norm(x, (WIDTH,)))).square())


class Net(nn.Module):
    """Symbols in, log-odds of the next symbol out, at every place."""

    def __init__(self) -> None:
        super().__init__()
        self.symbols, self.places = nn.Embedding(SYMBOLS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.pairs = nn.Embedding(SYMBOLS, SYMBOLS)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        nn.init.normal_(self.symbols.weight, std=0.05)
        nn.init.normal_(self.places.weight, std=0.02)
        nn.init.zeros_(self.pairs.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.symbols(x) + self.places.weight[: x.shape[1]]
        for block in self.blocks:
            h = block(h)
        odds = F.linear(F.rms_norm(h, (WIDTH,)), self.symbols.weight) * (WIDTH**0.5 / 2)
        return odds + self.pairs(x) if PAIRS else odds


def save(net: nn.Module, path: Path) -> None:
    """Write every number as a 16-bit float, in the order of the net's layers."""
    numbers = torch.cat([t.flatten() for t in net.state_dict().values()])
    path.write_bytes(numbers.half().numpy().tobytes())


def load(path: Path) -> Net:
    """The net that `save` wrote."""
    net, start = Net().eval(), 0
    numbers = torch.from_numpy(np.fromfile(path, np.float16).astype(np.float32))
    for t in net.state_dict().values():
        t.copy_(numbers[start : start + t.numel()].view_as(t))
        start += t.numel()
    return net
