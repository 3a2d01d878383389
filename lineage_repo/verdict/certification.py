"""Whether one recipe beats another on fresh seeds: a pure function, so that `verify` can replay it."""

import math
from collections.abc import Mapping
from datetime import datetime

from lineage_repo.model.ledger import Certification
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Measurement, Spread, Status
from lineage_repo.verdict.judge import estimate_spread, judge, student_p, values_per_seed


def required_p(task: Task, earlier: int) -> float:
    """What p must be below after so many certifications."""
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
    """Welch's one-sided test of the first recipe's gain over the second against the task's rule.

    Neither spread counts for less than the calibrated one: few equal values by luck prove nothing. Nor does asking
    again until the answer is yes: each `earlier` certification of the campaign halves the p that is needed.
    """
    rule, metric = task.certification, task.objective.metric
    ours, theirs = (estimate_spread(values_per_seed(task, m)[metric]) for m in measurements)
    gain = task.objective.gain(ours.mean, theirs.mean)
    least = noise[metric].sd if metric in noise else 0.0
    shares = [max(s.sd, least) ** 2 / s.n for s in (ours, theirs)]
    error = math.sqrt(sum(shares))
    if error:
        freedom = sum(shares) ** 2 / sum(v**2 / (s.n - 1) for v, s in zip(shares, (ours, theirs), strict=True))
        p = student_p((gain - rule.gain) / error, max(1, int(freedom)))
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
