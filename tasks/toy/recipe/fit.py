"""Fit a sum of harmonics to noisy points by gradient descent and write model.json."""

import json
import os
import random
from pathlib import Path

from features import row

LR = 0.1  # [opt] step length; 0.01 to 1.5
STEPS = 12  # [opt] gradient steps over all points; 4 to 120
MOMENTUM = 0.0  # [opt] share of the last step that carries on; 0.0 to 0.9
DECIMALS = 9  # [model] decimals of a stored weight; 1 to 15
INIT = 0.01  # largest starting weight; only the seed's mark, too small to matter


def fit(points: list[tuple[float, float]], rng: random.Random) -> list[float]:
    """Minimise the mean squared error."""
    rows = [(row(x), y) for x, y in points]
    weights = [rng.uniform(-INIT, INIT) for _ in rows[0][0]]
    speed = [0.0] * len(weights)
    for _ in range(STEPS):
        gradient = [0.0] * len(weights)
        for features, y in rows:
            gap = sum(w * f for w, f in zip(weights, features, strict=True)) - y
            gradient = [g + gap * f for g, f in zip(gradient, features, strict=True)]
        speed = [MOMENTUM * s - LR * 2 * g / len(rows) for s, g in zip(speed, gradient, strict=True)]
        weights = [w + s for w, s in zip(weights, speed, strict=True)]
    return weights


control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
seed = int(control.readline().split()[1])  # "GO <seed>": the data is there and the clock runs
lines = Path(os.environ["ESPALIER_DATA"], "train.txt").read_text("ascii").splitlines()
found = fit([(float(x), float(y)) for x, y in map(str.split, lines)], random.Random(seed))  # noqa: S311 - no secret
stored = json.dumps([round(w, DECIMALS) for w in found])
Path(os.environ["ESPALIER_OUT"], "model.json").write_text(stored, encoding="ascii")
