"""The rules of the judge, on plain numbers: what passes the screen, moves the head, is replicated or certified.

Values and gains are oriented so that more is better, in the objective's unit. A gain is the candidate's value minus the
reference's, of one block. `benchmarks/search_sim.py` drives these functions through simulated searches.
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from lineage_repo.model.comparison import Interval, Outcome, Side
from lineage_repo.model.measurement import Spread
from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict.statistics import estimate_spread, student_p, student_t

_TWO_SIDED_95 = 0.975
_OWN_SPREAD_FROM = 6
"""Values of the head from which on its own spread counts in a screen."""
_PINNED = 0.1
_JUMP = 4.0
"""Standard errors; a spread from six seeds calls 1 % of a steady host's values a jump."""


class Certificate(NamedTuple):
    """The test of a certification."""

    p: float
    """One-sided probability of at least this gain if the true gain were the one that the rule demands."""
    level: float
    """What p must stay below."""

    @property
    def passed(self) -> bool:
        return self.p < self.level


# ---- in which order both sides are measured


def order_screen(rule: JudgeRule, number: int, n_seeds: int) -> list[Side]:
    """Return the sides of a trial's screen in turn; the candidate's first seed may be the last turn.

    Args:
        rule: The manifest's.
        number: Of the trial; every `head_every`-th measures the head too, and first.
        n_seeds: Of a trial with the rule `any`.
    """
    if rule.rule == "any":
        return ["candidate"] * n_seeds
    order: list[Side] = ["candidate"] * rule.screen_seeds
    return ["reference", *order] if (number - 1) % rule.head_every == 0 else order


def order_blocks(blocks: int, *, first: Side = "candidate") -> list[Side]:
    """Return the sides of so many blocks in turn. The order alternates, so that a host that slows favours neither."""
    pair: tuple[Side, Side] = ("candidate", "reference") if first == "candidate" else ("reference", "candidate")
    return [side for block in range(blocks) for side in (pair if block % 2 == 0 else pair[::-1])]


def first_side(place: int) -> Side:
    """Return which side begins the blocks at this place of a proof, so that of many short ones each begins half."""
    return "candidate" if place % 2 == 0 else "reference"


# ---- the screen: two means, with the spread of one seed of the head or, at first, of the start


def find_recent(rule: JudgeRule, values: Sequence[float], spread: Spread) -> list[float]:
    """Return the head's last values that a screen compares with, those since the last jump of the host.

    A value that is 4 standard errors away from the mean of those before it begins anew: the host has changed its speed,
    and no candidate can be compared with what it did before.
    """
    recent: list[float] = []
    for value in values[-rule.head_window :]:
        if recent and abs(value - fmean(recent)) > _JUMP * spread.sd * math.sqrt(1 + 1 / len(recent)):
            recent = []
        recent.append(value)
    return recent


def find_spread(recent: Sequence[float], calibrated: Spread) -> Spread:
    """Return the spread with which a screen compares: the head's own where enough is known of it, else the start's.

    A head may be far less noisy than the start, as one that takes half its time.
    """
    return estimate_spread(tuple(recent)) if len(recent) >= _OWN_SPREAD_FROM else calibrated


def hopeless_bound(rule: JudgeRule, head: Sequence[float], spread: Spread) -> float:
    """Return the value below which a candidate's first seed ends its screen."""
    return fmean(head) - rule.hopeless_z * spread.sd * math.sqrt(1 + 1 / len(head))


def passes_screen(rule: JudgeRule, candidate: Sequence[float], head: Sequence[float], spread: Spread) -> bool:
    """Return whether the candidate's mean beats the head's by more than `screen_z` standard errors."""
    return fmean(candidate) - fmean(head) > rule.screen_z * _screen_error(candidate, head, spread)


def screen_gain(candidate: Sequence[float], head: Sequence[float], spread: Spread) -> Interval:
    """Return the candidate's gain over the head's mean, with the t interval of this spread of one seed."""
    gain = fmean(candidate) - fmean(head)
    room = student_t(_TWO_SIDED_95, max(spread.n - 1, 1)) * _screen_error(candidate, head, spread)
    return Interval(mean=gain, low=gain - room, high=gain + room, n=len(candidate))


def _screen_error(candidate: Sequence[float], head: Sequence[float], spread: Spread) -> float:
    return spread.sd * math.sqrt(1 / len(candidate) + 1 / len(head))


# ---- blocks: paired differences, which need no calibrated noise


def paired_t(gains: Sequence[float], over: float = 0.0) -> float:
    """Return t of the mean gain over `over`; infinite, with its sign, where all gains are equal.

    >>> round(paired_t([1.0, 2.0, 3.0]), 3)
    3.464
    """
    spread = estimate_spread(tuple(gains))
    above = spread.mean - over
    if spread.sd == 0:
        return math.copysign(math.inf, above) if above else 0.0
    return above / (spread.sd / math.sqrt(spread.n))


def paired_gain(gains: Sequence[float]) -> Interval:
    """Return the mean gain with its two-sided 95 % t interval over blocks."""
    spread = estimate_spread(tuple(gains))
    room = student_t(_TWO_SIDED_95, spread.n - 1) * spread.sd / math.sqrt(spread.n)
    return Interval(mean=spread.mean, low=spread.mean - room, high=spread.mean + room, n=spread.n)


def moves_head(rule: JudgeRule, gains: Sequence[float], min_delta: float = 0.0) -> bool:
    """Return whether the gains of an observed trial's blocks move the head to it."""
    return fmean(gains) >= min_delta and paired_t(gains) > student_t(rule.observed_confidence, len(gains) - 1)


def replicate(rule: JudgeRule, gains: Sequence[float]) -> Outcome | None:
    """Return the outcome of a replication after these blocks; None where it needs those up to the next look.

    A look passes where t exceeds the quantile of its share of the level. It stops where t is futile, or at the last
    look: refuted with a mean gain of 0 or less, else open.
    """
    look = rule.replicated_blocks.index(len(gains))
    t = paired_t(gains)
    if t > student_t(1 - rule.replicated_p[look], len(gains) - 1):
        return Outcome.PASSED
    last = look == len(rule.replicated_blocks) - 1
    if not last and t >= rule.replicated_futile_t[look]:
        return None
    return Outcome.OPEN if fmean(gains) > 0 else Outcome.REFUTED


def certificate(rule: JudgeRule, gains: Sequence[float], k: int) -> Certificate:
    """Return the test of the k-th certification, counted from 1 when it is registered.

    The levels alpha / (k (k + 1)) of all k sum to alpha, so asking until the answer is yes gains nothing.
    """
    t = paired_t(gains, rule.certified_gain)
    p = (0.0 if t > 0 else 1.0) if math.isinf(t) else student_p(t, len(gains) - 1)
    return Certificate(p=p, level=rule.certified_p / (k * (k + 1)))


def has_own_spread(values: Sequence[float], spread: Spread) -> bool:
    """Return whether a recipe's values vary over seeds; a pinned seed leaves less than a tenth of the start's spread.

    A recipe whose values are smaller than the start's, as one that takes half its time, may vary less in proportion.
    """
    own = estimate_spread(tuple(values))
    scale = min(1.0, abs(own.mean / spread.mean)) if spread.mean else 1.0
    return own.sd >= _PINNED * scale * spread.sd
