"""Certification: whether one recipe beats another on fresh seeds. A pure function, so that `verify` can replay it."""

import math
from collections.abc import Mapping
from datetime import datetime

from lineage_repo.model.ledger import Certification
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Measurement, Spread, Status
from lineage_repo.verdict.judge import judge, values_per_seed
from lineage_repo.verdict.statistics import estimate_spread, student_p


def required_p(task: Task, earlier: int) -> float:
    """Return what p must be below after `earlier` certifications: all together stay below twice the manifest's p."""
    return task.certification.p / 2**earlier


def compare_recipes(
    task: Task,
    numbers: tuple[int, int],
    measurements: tuple[Measurement, Measurement],
    noise: Mapping[str, Spread],
    isolation: dict[str, str],
    at: datetime,
    *,
    earlier: int = 0,
) -> Certification:
    """Test the gain of the first recipe over the second by the manifest's rule, with Welch's one-sided test.

    With means m, deviations s and n seeds each, t = (gain - rule.gain) / sqrt(s1^2 / n1 + s2^2 / n2), and p is the tail
    of Student's t with the Welch-Satterthwaite degrees of freedom, rounded down (B. L. Welch, "The generalization of
    'Student's' problem when several different population variances are involved", Biometrika 34, 1947). Neither s
    counts for less than the calibrated deviation, so a few equal values by luck prove nothing. Nor does asking until
    the answer is yes: each `earlier` certification of the campaign halves the p that is needed. The gates of both are
    judged with the calibrated noise, as in any trial.

    Args:
        numbers: The two trials; the first is the one that must beat the second.
        measurements: Of these two, in the same order.
        noise: Metric to its calibrated spread.
        isolation: What the record says of the boxes that measured.
        at: Time of the entry.
        earlier: Number of certifications that the ledger has already.
    """
    rule, metric = task.certification, task.objective.metric
    ours, theirs = (estimate_spread(values_per_seed(task, m)[metric]) for m in measurements)
    gain = task.objective.gain(ours.mean, theirs.mean)
    calibrated_sd = noise[metric].sd if metric in noise else 0.0
    variances = [max(s.sd, calibrated_sd) ** 2 / s.n for s in (ours, theirs)]
    error = math.sqrt(sum(variances))
    if error:
        degrees = sum(variances) ** 2 / sum(v**2 / (s.n - 1) for v, s in zip(variances, (ours, theirs), strict=True))
        p = student_p((gain - rule.gain) / error, max(1, int(degrees)))
    else:
        p = float(gain <= rule.gain)
    missed = [
        f"{number:04d}: {verdict.failure}"
        for number, measurement in zip(numbers, measurements, strict=True)
        if (verdict := judge(task, measurement, None, None, None, noise)).status is not Status.BASELINE
    ]
    return Certification(
        number=numbers[0],
        against=numbers[1],
        measurements=measurements,
        gain=gain,
        p=p,
        failure="; ".join(missed) or None,
        certified=p < required_p(task, earlier) and not missed,
        isolation=isolation,
        at=at,
    )
