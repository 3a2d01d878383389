"""The features of a point: shared by fit.py and predict.py."""

import math

HARMONICS = 2  # [model] waves with 1, 2, 3, ... periods that are fitted; 1 to 60
SPREAD = 0.7  # [model] scale of a harmonic against the one below it, which slows its fitting; 0.3 to 1.2


def row(x: float) -> list[float]:
    """A constant, then a sine and a cosine per harmonic."""
    out = [1.0]
    for k in range(1, HARMONICS + 1):
        scale = SPREAD ** (k - 1)
        out += [scale * math.sin(k * x), scale * math.cos(k * x)]
    return out
