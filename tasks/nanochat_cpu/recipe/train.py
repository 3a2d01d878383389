"""Train on one split of the text for a number of steps and write model.bin."""

import os

import numpy as np
import torch
import torch.nn.functional as F
from model import CONTEXT, DATA, OUT, SYMBOLS, Net, save
from torch import Tensor, nn

STEPS = 200  # [sched] optimiser steps; 100 to 2000
WARMUP = 0.1  # [sched] share of the steps in which the rate rises; 0.0 to 0.5
COOLDOWN = 0.5  # [sched] share of the steps in which the rate falls to zero; 0.0 to 1.0
LR = 0.004  # [opt] peak learning rate; 0.0005 to 0.02
MOMENTUM = 0.9  # [opt] memory of the mean gradient; 0.5 to 0.98
MEMORY = 0.98  # [opt] memory of the mean squared gradient; 0.9 to 0.999
DECAY = 0.05  # [opt] weight decay, before the learning rate; 0.0 to 0.5
CLIP = 1.0  # [opt] longest gradient; 0.1 to 10.0
BATCH = 16  # [data] sequences a step; 4 to 64
LENGTH = 64  # [data] symbols of a sequence; 16 to 64
LINES = 0.0  # [data] share of the sequences that begin where a paragraph does; 0.0 to 1.0
FUSED_STEP = 0  # [sys] whether one kernel updates all weights; 0 to 1


def batch(text: Tensor, lines: Tensor) -> Tensor:
    """Random pieces of the text, one symbol longer than a sequence."""
    starts = torch.randint(0, len(text) - LENGTH, (BATCH,))
    if LINES:
        chosen = lines[torch.randint(0, len(lines), (BATCH,))]
        starts = torch.where(torch.rand(BATCH) < LINES, chosen, starts)
    return text[starts[:, None] + torch.arange(LENGTH + 1)]


def rate(step: int, steps: int) -> float:
    """The learning rate's share of its peak: up, flat, down to zero."""
    done = step / steps
    rise = (step + 1) / (WARMUP * steps + 1)
    return min(1.0, rise, (1 - done) / COOLDOWN if COOLDOWN else 1.0)


def fit(text: Tensor, steps: int) -> nn.Module:
    """AdamW on the mean log-likelihood of the next symbol."""
    net = Net()
    lines = (text[: -LENGTH - 1] == ord("\n")).nonzero()[:, 0] + 1
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=LR, betas=(MOMENTUM, MEMORY), weight_decay=DECAY, fused=bool(FUSED_STEP)
    )
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LR * rate(step, steps)
        pieces = batch(text, lines)
        loss = F.cross_entropy(net(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step}: {loss.item() / np.log(2):.3f} bits a symbol")
    return net


control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
fit(torch.randint(0, SYMBOLS, (10 * CONTEXT,)), 2)  # warm-up on noise
control.write(b"READY\n")
torch.manual_seed(int(control.readline().split()[1]))  # "GO <seed>": the data is there and the clock runs
model = fit(torch.from_numpy(np.fromfile(DATA / "train.txt", np.uint8)).long(), STEPS)
save(model, OUT / "model.bin")
os._exit(0)  # skips the interpreter's teardown
