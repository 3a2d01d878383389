"""Train on one split of the digits and write model.bin."""

import os

import numpy as np
import torch
import torch.nn.functional as F
from model import DATA, build, images, save
from torch import Tensor, nn

EPOCHS = 10  # [opt] passes over the training images; 1 to 24
BATCH = 64  # [opt] images per step; 16 to 256
LR = 0.05  # [opt] peak learning rate; 0.01 to 0.6
WARMUP = 0.2  # [opt] share of the steps in which the rate rises, before it falls to zero; 0.0 to 0.5
MOMENTUM = 0.9  # [opt] share of the last step that carries on, Nesterov's way; 0.5 to 0.98
SHIFT = 1  # [aug] largest shift in pixels, drawn per image and epoch; 0 to 2
CUTOUT = 0  # [aug] side in pixels of a blanked square, drawn per image and epoch; 0 to 4
SMOOTHING = 0.1  # [loss] share of the target spread over all classes; 0.0 to 0.3
FOCUS = 0.0  # [loss] exponent that gives weight to images not yet right; 0.0 to 2.0
DECAY = 0.0005  # [reg] weight decay per step, before the learning rate; 0.0 to 0.01
AVERAGE = 0  # [reg] last epochs whose final weights are averaged with the end's; 0 to 4


def augment(x: Tensor) -> Tensor:
    """Shift every image by up to SHIFT pixels and blank a square of side CUTOUT."""
    n, axis = len(x), torch.arange(8)
    if SHIFT:
        dy, dx = torch.randint(0, 2 * SHIFT + 1, (2, n, 1))
        padded = F.pad(x, (SHIFT,) * 4, value=-0.3)
        x = padded[torch.arange(n)[:, None, None], 0, (dy + axis)[:, :, None], (dx + axis)[:, None, :]][:, None]
    if CUTOUT:
        cy, cx = torch.randint(0, 9 - CUTOUT, (2, n, 1))
        rows, columns = (axis >= cy) & (axis < cy + CUTOUT), (axis >= cx) & (axis < cx + CUTOUT)
        x = x.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], -0.3)
    return x


def loss_of(logits: Tensor, y: Tensor) -> Tensor:
    """Smoothed cross-entropy, weighted by how wrong each image still is."""
    loss = F.cross_entropy(logits, y, label_smoothing=SMOOTHING, reduction="none")
    if FOCUS:
        right = logits.detach().softmax(1).gather(1, y[:, None])[:, 0]
        loss = loss * (1 - right) ** FOCUS
    return loss.mean()


def fit(x: Tensor, y: Tensor, epochs: int) -> nn.Module:
    """SGD with a triangular learning rate."""
    net, n_batches, step = build(), len(x) // BATCH, 0
    steps, kept = epochs * n_batches, []
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
    for epoch in range(epochs):
        order, shown = torch.randperm(len(x)), augment(x)
        for chosen in order[: n_batches * BATCH].split(BATCH):
            step += 1
            rise = step / (WARMUP * steps) if WARMUP else 1.0
            optimizer.param_groups[0]["lr"] = LR * min(rise, (steps - step + 1) / (steps * (1 - WARMUP)), 1.0)
            optimizer.zero_grad()
            loss_of(net(shown[chosen]), y[chosen]).backward()
            optimizer.step()
        if epoch >= epochs - 1 - AVERAGE:
            kept.append({k: v.clone() for k, v in net.state_dict().items()})
    if AVERAGE:
        net.load_state_dict({k: torch.stack([s[k].float() for s in kept]).mean(0) for k in kept[0]})
    return net


control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
fit(torch.randn(2 * BATCH, 1, 8, 8), torch.randint(0, 10, (2 * BATCH,)), 1)  # warm-up on noise
control.write(b"READY\n")
torch.manual_seed(int(control.readline().split()[1]))  # "GO <seed>": the data is there and the clock runs
labels = torch.from_numpy(np.load(DATA / "train_y.npy")).long()
save(fit(images("train_x.npy"), labels, EPOCHS))
os._exit(0)  # skips the interpreter's teardown, a fixed cost that would drown the recipe's
