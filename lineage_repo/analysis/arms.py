"""Arms beside each other: is one better than another, by t intervals over whole runs. Pure functions on numbers.

A run counts once, because trials of one run depend on each other. Contrasts are named before: each arm against the
first one. Holm's step-down keeps the probability of any false difference among them at 5 %.
"""

import math
from collections.abc import Sequence
from statistics import fmean, variance
from typing import NamedTuple

from lineage_repo.verdict.power import paired_power
from lineage_repo.verdict.statistics import student_p, student_t

_TWO_SIDED_95 = 0.975
_POWER = 0.8
_BISECTIONS = 50


class MeanDifference(NamedTuple):
    """The second sample's mean minus the first's, in the unit of the values."""

    difference: float
    low: float
    """Of the two-sided 95 % t interval, like `high`."""
    high: float
    degrees: int
    p: float
    """Two-sided."""
    error: float
    """Standard error of the difference."""


def compare_means(first: Sequence[float], second: Sequence[float], *, blocked: bool = False) -> MeanDifference | None:
    """Return the difference of two means; None where there is no spread to judge it by, or fewer than two values each.

    Two independent samples may differ in spread: Welch's interval, with the degrees of freedom of Satterthwaite,
    rounded down.

    Args:
        first: One value per run.
        second: The same of the other arm.
        blocked: Whether the k-th runs of both belong together; then t is that of their differences.

    >>> compare_means([1.0, 2.0, 3.0], [2.0, 3.0, 5.0], blocked=True).degrees
    2
    """
    if min(len(first), len(second)) < 2 or (blocked and len(first) != len(second)):
        return None
    if blocked:
        squares = [variance([b - a for a, b in zip(first, second, strict=True)]) / len(first)]
        sizes = [len(first)]
    else:
        squares = [variance(first) / len(first), variance(second) / len(second)]
        sizes = [len(first), len(second)]
    error = math.sqrt(sum(squares))
    if error == 0:
        return None
    freedom = sum(squares) ** 2 / sum(s * s / (n - 1) for s, n in zip(squares, sizes, strict=True))
    degrees = max(1, math.floor(freedom + 1e-9))
    difference = fmean(second) - fmean(first)
    quantile = student_t(_TWO_SIDED_95, degrees)
    return MeanDifference(
        difference=difference,
        low=difference - quantile * error,
        high=difference + quantile * error,
        degrees=degrees,
        p=min(1.0, 2 * student_p(abs(difference) / error, degrees)),
        error=error,
    )


def find_detectable(found: MeanDifference) -> float:
    """Return the true difference that samples of such a spread and size find with a probability of 80 %."""
    quantile = student_t(_TWO_SIDED_95, found.degrees)
    blocks = found.degrees + 1
    in_sd = math.sqrt(2 / blocks)  # a block's gain has twice the variance of a seed
    low, high = 0.0, 4 * quantile + 4
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if paired_power(middle * in_sd, blocks, quantile) < _POWER else (low, middle)
    return high * found.error


def adjust_holm(ps: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p of each of several tests; below 0.05 the difference holds among all of them.

    >>> adjust_holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(ps)
    reached = 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        reached = max(reached, min(1.0, (len(ps) - place) * ps[index]))
        adjusted[index] = reached
    return adjusted
