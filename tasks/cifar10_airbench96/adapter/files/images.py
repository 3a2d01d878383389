"""The images of this box, on the GPU: noise of their shape before GO, what the evaluator delivered after it."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(os.environ["ESPALIER_DATA"])
NOISE_TRAIN, NOISE_TEST = 50_000, 10_000  # images of each side, as many as CIFAR-10 has
CLASSES = 10


def load(train: bool) -> dict[str, object]:
    """Images (N x 32 x 32 x 3, uint8), labels (N, int64) and the numbers of the classes; test labels are all zero."""
    if (DATA / "train_x.npy").exists():
        images = torch.from_numpy(np.load(DATA / ("train_x.npy" if train else "test_x.npy")))
        labels = torch.from_numpy(np.load(DATA / "train_y.npy")) if train else torch.zeros(len(images))
    else:
        images, labels = noise(NOISE_TRAIN if train else NOISE_TEST)
    return {"images": images.cuda(), "labels": labels.long().cuda(), "classes": list(range(CLASSES))}


def noise(n: int) -> tuple[Tensor, Tensor]:
    """Random pixels and labels, for warming up."""
    return torch.randint(0, 256, (n, 32, 32, 3), dtype=torch.uint8), torch.randint(0, CLASSES, (n,))
