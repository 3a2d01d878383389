"""Train on the text of one seed and write model.bin."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from model import SYMBOLS, Net, save
from torch import Tensor, nn

STEPS = 280  # [opt] updates of the weights; 20 to 1200
LR = 0.01  # [opt] peak learning rate; 0.001 to 0.05
WARMUP = 0.07  # [opt] share of the steps in which the rate rises; 0.0 to 0.3
COOLDOWN = 0.5  # [opt] share of the steps in which the rate falls to zero; 0.1 to 1.0
INERTIA = 0.98  # [opt] share of the squared gradients that carries on; 0.9 to 0.999
CLIP_NORM = 1.0  # [opt] longest gradient that a step takes as it is; 0.1 to 10.0
LANES = 48  # [curr] places of the text that are read at once; 8 to 128
LENGTH = 32  # [curr] bytes of each lane that a step reads; 8 to 128
SHORT = 0.0  # [curr] share of the steps, at the start, that read half of that length; 0.0 to 0.6
SMOOTHING = 0.0  # [loss] share of the target spread over all symbols; 0.0 to 0.1
FOCUS = 0.0  # [loss] exponent that gives weight to symbols not yet right; 0.0 to 2.0
DECAY = 0.01  # [reg] weight decay per step, before the learning rate; 0.0 to 0.3
AVERAGE = 0.0  # [reg] share of the steps, at the end, whose weights are averaged; 0.0 to 0.3


def loss_of(scores: Tensor, true: Tensor) -> Tensor:
    """Smoothed cross-entropy, weighted by how wrong each symbol still is."""
    scores, true = scores.flatten(0, 1), true.flatten()
    loss = F.cross_entropy(scores, true, label_smoothing=SMOOTHING, reduction="none")
    if FOCUS:
        right = scores.detach().softmax(1).gather(1, true[:, None])[:, 0]
        loss = loss * (1 - right) ** FOCUS
    return loss.mean()


def rate(step: int, steps: int) -> float:
    """The learning rate of a step: it rises, stays, and falls to zero."""
    rise = (step + 1) / (WARMUP * steps) if WARMUP else 1.0
    return LR * min(rise, (steps - step) / (COOLDOWN * steps), 1.0)


def fit(text: Tensor, steps: int) -> Net:
    """Read the text in lanes that begin evenly spread over it, each step where the last one stopped."""
    net, state, kept = Net(), None, []
    optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, INERTIA), weight_decay=DECAY)
    at = (torch.randint(0, len(text), (1,)) + torch.arange(LANES) * len(text) // LANES)[:, None]
    for step in range(steps):
        n = max(LENGTH // 2, 1) if step < SHORT * steps else LENGTH
        read = text[(at + torch.arange(n + 1)) % len(text)]
        at = at + n
        scores, state = net(read[:, :-1], state)
        optimizer.param_groups[0]["lr"] = rate(step, steps)
        optimizer.zero_grad()
        loss_of(scores, read[:, 1:]).backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP_NORM)
        optimizer.step()
        if step >= steps * (1 - AVERAGE):
            kept.append({k: v.clone() for k, v in net.state_dict().items()})
    if kept:
        net.load_state_dict({k: torch.stack([s[k] for s in kept]).mean(0) for k in kept[0]})
    return net


control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
fit(torch.randint(0, SYMBOLS, (10_000,)), 2)  # warm-up on noise
control.write(b"READY\n")
torch.manual_seed(int(control.readline().split()[1]))  # "GO <seed>": the data is there and the clock runs
body = np.fromfile(Path(os.environ["ESPALIER_DATA"], "train.txt"), np.uint8)
save(fit(torch.from_numpy(body).long(), STEPS), Path(os.environ["ESPALIER_OUT"], "model.bin"))
os._exit(0)  # skips the interpreter's teardown
