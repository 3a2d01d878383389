"""The net and its bytes: shared by train.py and predict.py."""

import lzma
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SYMBOLS = 128
WIDTH = 128  # [arch] numbers in the recurrent state; 32 to 320
LAYERS = 1  # [arch] recurrent layers; 1 to 3
EMBED = 64  # [tok] numbers that stand for a symbol at the input; 16 to 128
GRAMS = 0  # [tok] rows of a hashed table of the last two symbols, added to the input; 0 to 4096
INIT = 2.0  # [meta] spread of the input tables at the start; 0.5 to 6.0
DROPOUT = 0.0  # [reg] share of the state that is hidden from the output layer in training; 0.0 to 0.4
LEVELS = 127  # [quant] steps on each side of zero that a stored weight may take; 7 to 127
CLIP = 1.0  # [quant] share of the largest weight of a row at which a row is cut; 0.5 to 1.0

torch.set_num_threads(1)  # the clock counts CPU seconds: threads would only add overhead

State = tuple[Tensor, Tensor]
"""The recurrent state, and the last symbol of every stream."""


class Net(nn.Module):
    """Symbols in, scores of the next symbol out: a gated recurrent net plus a table of symbol pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, EMBED)
        self.grams = nn.Embedding(max(GRAMS, 1), EMBED if GRAMS else 1)
        self.pairs = nn.Embedding(SYMBOLS, SYMBOLS)
        self.body = nn.GRU(EMBED, WIDTH, LAYERS, batch_first=True)
        self.head = nn.Linear(WIDTH, SYMBOLS)
        nn.init.normal_(self.embed.weight, std=INIT)
        nn.init.normal_(self.grams.weight, std=INIT / 2)
        nn.init.zeros_(self.pairs.weight)

    def forward(self, seen: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores after each of `seen` (streams x steps), and the state to go on from."""
        hidden, last = state or (None, torch.zeros_like(seen[:, 0]))
        x = self.embed(seen)
        if GRAMS:
            before = torch.cat([last[:, None], seen[:, :-1]], 1)
            x = x + self.grams((before * SYMBOLS + seen) * 40_503 % 65_521 % GRAMS)
        y, hidden = self.body(x, hidden)
        scores = self.head(F.dropout(y, DROPOUT, self.training)) + self.pairs(seen)
        return scores, (hidden.detach(), seen[:, -1])


def save(net: nn.Module, path: Path) -> None:
    """Write every row of weights as small whole numbers and one scale, packed together."""
    numbers, scales = [], []
    for weight in net.state_dict().values():
        rows = weight.reshape(len(weight), -1).numpy()
        scale = np.maximum(np.abs(rows).max(1, keepdims=True) * CLIP / LEVELS, 1e-5).astype(np.float16)
        numbers.append(np.clip(np.rint(rows / scale.astype(np.float32)), -LEVELS, LEVELS).astype(np.int8).tobytes())
        scales.append(scale.tobytes())
    path.write_bytes(lzma.compress(b"".join(numbers + scales), preset=9))


def load(path: Path) -> Net:
    """The net that `save` wrote, ready to predict."""
    net, body, at = Net().eval(), lzma.decompress(path.read_bytes()), 0
    weights = list(net.state_dict().values())
    scales, past = np.frombuffer(body[sum(w.numel() for w in weights) :], np.float16).astype(np.float32), 0
    for weight in weights:
        numbers = np.frombuffer(body, np.int8, weight.numel(), at).reshape(len(weight), -1)
        rows = numbers * scales[past : past + len(weight), None]
        weight.copy_(torch.from_numpy(rows).view_as(weight))
        at, past = at + weight.numel(), past + len(weight)
    return net
