"""Surprise under the softmax of rows of scores, fast: scores of half precision are read as they come.

Rows are worked on in groups that fit a core's cache. numpy lets go of the interpreter's lock, so threads add up.
"""

import numpy as np

FORMATS = ("<f4", "<f2", "<u2")
"""How a scorer may write a score: 32-bit float, 16-bit float, bfloat16 (its bits, as a whole number)."""
_BFLOAT = 2
_GROUP = 1 << 18
"""Scores that are worked on at once: 1 MiB as 32-bit floats."""


class UnscorableError(Exception):
    """A score that is not finite; `row` and `symbol` say which."""

    def __init__(self, row: int, symbol: int, found: float) -> None:
        super().__init__(f"scored symbol {symbol} {found:g}, not finite")
        self.row, self.symbol = row, symbol


def surprise(scores: np.ndarray, code: int, wanted: np.ndarray) -> np.ndarray:
    """Nats (float64, as `wanted`) of the symbols `wanted` (rows x k) under the softmax of each row of `scores`.

    The mass of a row is 1 whatever finite numbers it holds.

    Raises:
        UnscorableError: a score is not finite.
    """
    nats = np.empty(wanted.shape)
    rows = max(1, _GROUP // scores.shape[1])
    work = np.empty((rows, scores.shape[1]), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for at in range(0, len(scores), rows):
            part = scores[at : at + rows]
            z = _floats(part, code, work[: len(part)])
            top = z.max(1)
            if not np.isfinite(top + z.min(1)).all():
                _refuse(z, at)
            asked = np.take_along_axis(z, wanted[at : at + rows].astype(np.int64), 1).astype(np.float64)
            z -= top[:, None]
            mass = np.exp(z, out=z).sum(1, dtype=np.float32).astype(np.float64)
            nats[at : at + rows] = np.log(mass)[:, None] + top[:, None].astype(np.float64) - asked
    return nats


def _floats(part: np.ndarray, code: int, work: np.ndarray) -> np.ndarray:
    if code == _BFLOAT:
        whole = work.view(np.uint32)
        whole[:] = part
        whole <<= 16
    else:
        work[:] = part
    return work


def _refuse(z: np.ndarray, at: int) -> None:
    """Say which score is not finite; extremes of both signs in one row are."""
    bad = np.argwhere(~np.isfinite(z))
    if len(bad):
        row, symbol = bad[0]
        raise UnscorableError(at + int(row), int(symbol), float(z[row, symbol]))
