"""What a judge's rule costs and what it finds: seeds of a trial, and the probability that a true gain shows.

Gains are true gains over the head in units of the sd of one seed. Everything here takes seeds as independent and
normal with one known sd, the head's window as full, and recipes as equally noisy. `benchmarks/search_sim.py` says how
whole searches fare, with drift, other tails and an estimated sd.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict.statistics import student_t

_NORMAL = NormalDist()
_STEPS = 200
"""Intervals of an integral by Simpson's rule: the powers below are then right to five digits."""
_TAIL = 7.0
"""Standard deviations on each side of a mean over which an integral reaches."""
_TELLING_GAIN = 3.0
_USUAL_POWER = 0.8
LEAST_POWER = 0.2
_LARGEST_GAIN = 64.0
_BISECTIONS = 24


class Seeds(NamedTuple):
    """Expected seeds of one trial."""

    candidate: float
    """Of the candidate: its screen and its blocks."""
    head: float
    """Of the head: one every `head_every` trials, and one a block."""

    @property
    def total(self) -> float:
        return self.candidate + self.head


def expected_seeds(rule: JudgeRule, gain_sd: float) -> Seeds:
    """Return the seeds that a trial of this true gain costs on average, without any replication.

    >>> round(expected_seeds(JudgeRule(), -9.0).total, 2)
    1.25
    """
    blocks = screen_power(rule, gain_sd) * rule.blocks
    candidate = 1 + (rule.screen_seeds - 1) * (1 - _hopeless_share(rule, gain_sd))
    return Seeds(candidate=candidate + blocks, head=1 / rule.head_every + blocks)


def null_cost(rule: JudgeRule) -> float:
    """Return the seeds, of candidate and head together, that a trial without any gain costs on average."""
    return expected_seeds(rule, 0.0).total


def screen_power(rule: JudgeRule, gain_sd: float) -> float:
    """Return the probability that a trial of this true gain passes the screen, the hopeless stop included.

    The first seed minus the head's mean is the candidate's mean minus the head's, B, plus an independent rest of
    variance 1 - 1/m. So with B beyond the bound of the screen, this integrates the probability that the rest lifts the
    first seed over the bound of the hopeless.
    """
    seeds, sd = rule.screen_seeds, _screen_sd(rule, rule.screen_seeds)
    bound, hopeless = rule.screen_z * sd, -rule.hopeless_z * _screen_sd(rule, 1)
    if seeds == 1:
        return _NORMAL.cdf((gain_sd - bound) / sd)
    rest = NormalDist(0, math.sqrt(1 - 1 / seeds))
    law = NormalDist(gain_sd, sd)
    return _integrate(
        lambda b: law.pdf(b) * rest.cdf(b - hopeless), max(bound, gain_sd - _TAIL * sd), gain_sd + _TAIL * sd
    )


def block_power(rule: JudgeRule, gain_sd: float) -> float:
    """Return the probability that the blocks of a trial of this true gain move the head."""
    return paired_power(gain_sd, rule.blocks, student_t(rule.observed_confidence, rule.blocks - 1))


def keep_power(rule: JudgeRule, gain_sd: float) -> float:
    """Return the probability that a trial of this true gain moves the head: passes the screen, then its blocks.

    The objective's `min_delta` is taken as 0.
    """
    return screen_power(rule, gain_sd) * block_power(rule, gain_sd)


def certification_power(rule: JudgeRule, gain_sd: float, k: int = 1) -> float:
    """Return the probability that the k-th certification finds this true gain, counted beyond `certified_gain`."""
    level = rule.certified_p / (k * (k + 1))
    return paired_power(gain_sd, rule.certified_blocks, student_t(1 - level, rule.certified_blocks - 1))


def smallest_gain(rule: JudgeRule, power: float = 0.8) -> float:
    """Return the smallest true gain that moves the head with this probability; infinite where 64 sd do not."""
    threshold = student_t(rule.observed_confidence, rule.blocks - 1)  # once: it costs more than an integral

    def is_found(gain_sd: float) -> bool:
        return screen_power(rule, gain_sd) * paired_power(gain_sd, rule.blocks, threshold) >= power

    low, high = 0.0, _LARGEST_GAIN
    if not is_found(high):
        return math.inf
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def find_rule_problem(rule: JudgeRule) -> str | None:
    """Return one line on a rule that would spend seeds and find next to nothing; None where it is of use."""
    if rule.rule == "any":
        return None
    if (power := keep_power(rule, _TELLING_GAIN)) >= LEAST_POWER:
        return _find_proof_problem(rule)
    return (
        f"judge: a trial with a true gain of {_TELLING_GAIN:g} sd of a seed moves the head with probability "
        f"{power:.2g}, at {expected_seeds(rule, _TELLING_GAIN).total:.1f} seeds a trial; lower screen_z "
        f"({rule.screen_z:g}) or observed_confidence ({rule.observed_confidence:g}), or raise blocks ({rule.blocks}), "
        f"until it is {LEAST_POWER:g} at least"
    )


def _find_proof_problem(rule: JudgeRule) -> str | None:
    """Return one line on levels at which nothing could ever be proven."""
    looks = zip(rule.replicated_blocks, rule.replicated_p, strict=True)
    shares = [paired_power(_TELLING_GAIN, blocks, student_t(1 - p, blocks - 1)) for blocks, p in looks]
    powers = {"replicated_p": max(shares), "certified_p": certification_power(rule, _TELLING_GAIN)}
    name = min(powers, key=lambda name: powers[name])
    if powers[name] >= LEAST_POWER:
        return None
    return (
        f"judge: a true gain of {_TELLING_GAIN:g} sd of a seed would be proven with probability {powers[name]:.2g}; "
        f"raise {name} ({getattr(rule, name)}) or its blocks until it is {LEAST_POWER:g} at least"
    )


def keep_power_over(rule: JudgeRule, sd: float, min_delta: float) -> float:
    """Return the probability that a gain of three deviations of a seed moves the head, if it must reach `min_delta`.

    The smaller of what the rule and what `min_delta` alone let through; 1 where nothing varies.

    Args:
        rule: The manifest's.
        sd: Deviation of the objective over seeds, in its unit.
        min_delta: Smallest measured gain that moves the head, in the same unit.
    """
    if sd == 0 or rule.rule == "any":
        return 1.0
    reached = _NORMAL.cdf((_TELLING_GAIN - min_delta / sd) * math.sqrt(rule.blocks / 2))
    return min(keep_power(rule, _TELLING_GAIN), reached)


def smallest_gain_over(rule: JudgeRule, sd: float, min_delta: float, n_seeds: int) -> float:
    """Return the smallest true gain, in the objective's unit, that a trial finds with a probability of 80 %.

    Args:
        rule: The manifest's.
        sd: Deviation of the objective over seeds.
        min_delta: Smallest measured gain that moves the head.
        n_seeds: Of a trial with the rule `any`, which finds any gain that its mean shows.
    """
    blocks = n_seeds if rule.rule == "any" else rule.blocks
    shown = min_delta + _NORMAL.inv_cdf(_USUAL_POWER) * sd * math.sqrt(2 / blocks)
    return shown if rule.rule == "any" else max(smallest_gain(rule, _USUAL_POWER) * sd, shown)


def paired_power(gain_sd: float, blocks: int, threshold: float) -> float:
    """Return the probability that the paired t of a true gain exceeds a threshold: the tail of the noncentral t.

    A block's gain has the variance of two seeds. The integral runs over the sd that the blocks estimate, whose square
    is a chi-square over its degrees of freedom.

    >>> round(paired_power(0.0, 4, student_t(0.95, 3)), 4)
    0.05
    """
    degrees = blocks - 1
    centre = gain_sd * math.sqrt(blocks / 2)
    scale = math.log(2) + degrees / 2 * math.log(degrees / 2) - math.lgamma(degrees / 2)

    def share(root: float) -> float:
        sd = root * root
        density = math.exp(scale + (degrees - 1) * math.log(sd) - degrees * sd * sd / 2)
        return 2 * root * density * _NORMAL.cdf(centre - threshold * sd)

    # Over the root of the sd: few blocks and a high threshold leave a narrow peak near 0, which has no logarithm.
    return _integrate(share, 1e-9, math.sqrt(1 + _TAIL / math.sqrt(2 * degrees)))


def _hopeless_share(rule: JudgeRule, gain_sd: float) -> float:
    """Return the probability that the first seed ends the screen."""
    return _NORMAL.cdf(-rule.hopeless_z - gain_sd / _screen_sd(rule, 1))


def _screen_sd(rule: JudgeRule, seeds: int) -> float:
    """Return the standard error of a mean of `seeds` minus the mean of the head's window."""
    return math.sqrt(1 / seeds + 1 / rule.head_window)


def _integrate(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the integral by Simpson's rule; 0 over an empty interval."""
    if high <= low:
        return 0.0
    step = (high - low) / _STEPS
    inner = sum(function(low + i * step) * (4 if i % 2 else 2) for i in range(1, _STEPS))
    return (function(low) + inner + function(high)) * step / 3


def gate_pass_probability(room: float, sd: float, n_seeds: int, confidence: float | None) -> float:
    """Return the probability with which a recipe passes a gate, in a trial of so many normal seeds.

    Args:
        room: How far its true mean is on the right side of the gate, in the metric's unit.
        sd: Its deviation over seeds.
        n_seeds: Seeds of the trial.
        confidence: Of the bound that must reach the gate; None where the mean must.
    """
    if sd == 0:
        return float(room >= 0)
    centre = room / sd * math.sqrt(n_seeds)
    if confidence is None or n_seeds == 1:
        return _NORMAL.cdf(centre)
    # The noncentral t of one sample: a block's gain has twice the variance of a seed.
    return paired_power(math.sqrt(2) * room / sd, n_seeds, student_t(confidence, n_seeds - 1))
