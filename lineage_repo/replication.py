"""Whether one recipe beats another on fresh seeds: a pure function, so that `verify` can replay it."""

import math
from datetime import datetime

from lineage_repo.judge import judge, per_seed, spread, student_p
from lineage_repo.manifest import Task
from lineage_repo.records import Measurement, Replication, Status


def compared(
    task: Task,
    numbers: tuple[int, int],
    measurements: tuple[Measurement, Measurement],
    isolation: dict[str, str],
    at: datetime,
) -> Replication:
    """Welch's one-sided test of the first recipe's gain over the second against the task's rule."""
    rule, metric = task.certification, task.objective.metric
    ours, theirs = (spread(per_seed(task, m)[metric]) for m in measurements)
    gain = task.objective.gain(ours.mean, theirs.mean)
    shares = [s.sd**2 / s.n for s in (ours, theirs)]
    error = math.sqrt(sum(shares))
    if error:
        freedom = sum(shares) ** 2 / sum(v**2 / (s.n - 1) for v, s in zip(shares, (ours, theirs), strict=True))
        p = student_p((gain - rule.gain) / error, max(1, int(freedom)))
    else:
        p = float(gain <= rule.gain)
    missed = [
        f"{number:04d}: {verdict.failure}"
        for number, measurement in zip(numbers, measurements, strict=True)
        if (verdict := judge(task, measurement, None, None, None, {})).status is not Status.BASELINE
    ]
    return Replication(
        number=numbers[0],
        against=numbers[1],
        measurements=measurements,
        gain=gain,
        p=p,
        failure="; ".join(missed) or None,
        certified=p < rule.p and not missed,
        isolation=isolation,
        at=at,
    )
