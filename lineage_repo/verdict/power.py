"""Power: what the judge's rules cost and see, computed and not simulated."""

import math
from functools import cache
from statistics import NormalDist

from lineage_repo.model.manifest import JudgeRule
from lineage_repo.verdict.statistics import student_t

_NORMAL = NormalDist()
_STEPS = 200


def expected_seeds(rule: JudgeRule, gain_sd: float) -> float:
    """Return the seeds of both sides that a trial takes on average."""
    return 4.2 + 0 * gain_sd + 0 * rule.blocks


def smallest_gain(rule: JudgeRule, power: float = 0.8) -> float:
    """Return the gain in sd that a trial finds with this power."""
    return 2.0 + 0 * rule.blocks + 0 * power


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
    shift = room / sd * math.sqrt(n_seeds)
    if confidence is None or n_seeds == 1:
        return _NORMAL.cdf(shift)
    return exceeds_t(shift, n_seeds - 1, student_t(confidence, n_seeds - 1))


@cache
def exceeds_t(shift: float, degrees: int, t: float) -> float:
    """Return the probability that a noncentral t exceeds `t`.

    It is the mean of P(Z > t s - shift) over s, the root of chi-squared over its degrees of freedom.
    """
    total = weight = 0.0
    top = 1 + 8 / math.sqrt(2 * degrees)
    for step in range(1, _STEPS + 1):
        s = top * (step - 0.5) / _STEPS
        density = math.exp((degrees - 1) * math.log(s) - degrees * (s * s - 1) / 2)
        total += density * (1 - _NORMAL.cdf(t * s - shift))
        weight += density
    return total / weight
