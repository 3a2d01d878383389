"""The statistics that verdicts rest on: spread of a sample, and Student's t without SciPy."""

import math
from collections.abc import Sequence
from statistics import NormalDist, StatisticsError, correlation, fmean

from lineage_repo.model.measurement import Spread

_NORMAL_ABOVE = 200
"""Degrees of freedom above which the normal quantile replaces Student's: at 99 % it is 0.8 % smaller there."""
_MIN_PAIRS = 3
_BISECTIONS = 60
"""Halvings of an interval of pi / 2: more than the 53 bits of a double can tell apart."""


def estimate_spread(values: tuple[float, ...]) -> Spread:
    """Return number, mean and sample standard deviation (divisor n - 1) of values; the deviation of one value is 0.

    >>> estimate_spread((1.0, 2.0, 3.0))
    Spread(n=3, mean=2.0, sd=1.0)
    """
    mean = fmean(values)
    # `statistics.stdev` computes with fractions, in twenty times the time, for digits that no verdict needs.
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Spread(n=len(values), mean=mean, sd=math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0)


def pool_spreads(samples: Sequence[tuple[float, ...]]) -> Spread:
    """Return the mean of all values, and the deviation within samples: what changed between them does not count.

    `n` is the degrees of freedom plus one. Where each sample has one value, they count as one sample.

    >>> pool_spreads([(1.0, 3.0), (11.0, 13.0)])
    Spread(n=3, mean=7.0, sd=1.4142135623730951)
    """
    whole = estimate_spread(tuple(value for sample in samples for value in sample))
    degrees = sum(len(sample) - 1 for sample in samples)
    if degrees == 0:
        return whole
    squares = sum((len(sample) - 1) * estimate_spread(sample).sd ** 2 for sample in samples)
    return Spread(n=degrees + 1, mean=whole.mean, sd=math.sqrt(squares / degrees))


def correlate(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation of pairs; None with fewer than three, or where one side never varies.

    >>> correlate([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)])
    1.0
    """
    if len(pairs) < _MIN_PAIRS:
        return None
    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:
        return None


def student_t(confidence: float, degrees: int) -> float:
    """Return the one-sided quantile of Student's t: the value that t exceeds with probability 1 - `confidence`.

    Found by bisection of `_central_probability`; the normal quantile above 200 degrees of freedom. SciPy has it as
    `scipy.stats.t.ppf`, but is too heavy for the base install.

    Args:
        confidence: Between 0.5 and 1.
        degrees: Degrees of freedom, at least 1.

    >>> round(student_t(0.975, 5), 3)
    2.571
    """
    if degrees > _NORMAL_ABOVE:
        return NormalDist().inv_cdf(confidence)
    low, high = 0.0, math.pi / 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_probability(middle, degrees) < 2 * confidence - 1 else (low, middle)
    return math.tan(low) * math.sqrt(degrees)


def student_p(t: float, degrees: int) -> float:
    """Return the one-sided tail of Student's t: the probability of a value above `t` (`scipy.stats.t.sf`).

    >>> round(student_p(2.571, 5), 3)
    0.025
    """
    half = _central_probability(math.atan(abs(t) / math.sqrt(degrees)), degrees) / 2
    return 0.5 - half if t >= 0 else 0.5 + half


def _central_probability(angle: float, degrees: int) -> float:
    """Return P(|T| <= t) for t = sqrt(degrees) * tan(angle) and an integer number of degrees of freedom.

    With c = cos(angle) and s = sin(angle) the closed form is, from Abramowitz and Stegun, "Handbook of Mathematical
    Functions" (1964), 26.7.3 and 26.7.4:

        odd:  2 / pi * (angle + s * (c + 2/3 c^3 + ... + (2*4*...*(n-3)) / (3*5*...*(n-2)) * c^(n-2)))
        even: s * (1 + 1/2 c^2 + (1*3)/(2*4) c^4 + ... + (1*3*...*(n-3)) / (2*4*...*(n-2)) * c^(n-2))
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    term = total = cosine if odd else 1.0
    for k in range(2 + odd, degrees, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if degrees > 1 else 0.0))
