"""Fast surprise under the softmax of rows of scores; scores of half precision are read without a copy.

It works on groups of rows that fit a core's cache. numpy releases the interpreter's lock, so threads run in parallel.
"""

import numpy as np

FORMATS = ("<f4", "<f2", "<u2")
"""How a scorer may write a score: 32-bit float, 16-bit float, bfloat16 (its bits, as a whole number)."""
_BFLOAT = 2
_GROUP = 1 << 18
"""Scores in one group: 1 MiB as 32-bit floats."""


class UnscorableError(Exception):
    """A score is not finite; `row` and `symbol` say which one."""

    def __init__(self, row: int, symbol: int, value: float) -> None:
        super().__init__(f"scored symbol {symbol} {value:g}, not finite")
        self.row, self.symbol = row, symbol


def surprise(scores: np.ndarray, code: int, wanted: np.ndarray) -> np.ndarray:
    """Return the nats of the symbols `wanted` under the softmax of each row of `scores`.

    `scores` has the shape (rows, symbols), `wanted` and the result (float64) have the shape (rows, k). `code` is the
    format of the scores, an index of `FORMATS`. The mass of a row is 1 whatever finite numbers it holds.

    Raises:
        UnscorableError: a score is not finite.
    """
    nats = np.empty(wanted.shape)
    rows = max(1, _GROUP // scores.shape[1])
    work = np.empty((rows, scores.shape[1]), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for at in range(0, len(scores), rows):
            part = scores[at : at + rows]
            z = _to_floats(part, code, work[: len(part)])
            top = z.max(1)
            if not np.isfinite(top + z.min(1)).all():
                _refuse(z, at)
            asked = np.take_along_axis(z, wanted[at : at + rows].astype(np.int64), 1).astype(np.float64)
            z -= top[:, None]
            mass = np.exp(z, out=z).sum(1, dtype=np.float32).astype(np.float64)
            nats[at : at + rows] = np.log(mass)[:, None] + top[:, None].astype(np.float64) - asked
    return nats


def _to_floats(part: np.ndarray, code: int, work: np.ndarray) -> np.ndarray:
    if code == _BFLOAT:
        whole = work.view(np.uint32)
        whole[:] = part
        whole <<= 16
    else:
        work[:] = part
    return work


def _refuse(z: np.ndarray, at: int) -> None:
    """Raise for the first score that is not finite; a row with finite extremes of both signs passes."""
    bad = np.argwhere(~np.isfinite(z))
    if len(bad):
        row, symbol = bad[0]
        raise UnscorableError(at + int(row), int(symbol), float(z[row, symbol]))
