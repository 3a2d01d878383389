"""Margins: a measurement's values per seed, and how far they are from each gate and limit."""

import math
from collections.abc import Sequence
from statistics import fmean

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin, Measurement, Spread
from lineage_repo.model.objective import Gate
from lineage_repo.verdict.statistics import estimate_spread, student_t

_LEAST_SPREAD = 0.5
"""Share of the start's spread that any recipe's counts for at least at a gate."""


def values_per_seed(task: Task, measurement: Measurement) -> dict[str, tuple[float, ...]]:
    """Return every metric of a measurement, the evaluator's and the harness's: one value per seed, in seed order.

    The harness's are `seconds` (sum over the timed phases, on the campaign's clock), `process_seconds` (the same in
    wall seconds from launch), `artifact_bytes` (sum over the counted phases) and `source_bytes`. A phase that runs once
    per trial counts fully for each seed.
    """
    timed = {p.name for p in task.phases if p.timed}
    counted = {p.name for p in task.phases if p.counted}
    n_seeds = len(measurement.box_seeds)
    runs = [[run for run in measurement.phases if run.seed_index in {index, None}] for index in range(n_seeds)]
    return {
        **measurement.metrics,
        "seconds": tuple(float(sum(r.elapsed_s for r in boxes if r.phase in timed)) for boxes in runs),
        "process_seconds": tuple(float(sum(r.setup_s + r.wall_s for r in boxes if r.phase in timed)) for boxes in runs),
        "artifact_bytes": tuple(
            float(sum(r.artifact_bytes or 0 for r in boxes if r.phase in counted)) for boxes in runs
        ),
        "source_bytes": (float(measurement.source_bytes),) * n_seeds,
    }


def gate_margin(
    gate: Gate, values: Sequence[float], calibrated: Spread | None = None, *, screened: bool = False
) -> Margin:
    """Return how far a trial is on the right side of a gate, in the metric's unit; negative if it misses the gate.

    The mean of `values` (one per seed) counts, with the rule `bound` its one-sided confidence bound: mean -+ t * sd /
    sqrt(n), on the side of the gate. Both sd and the degrees of freedom of t are the recipe's own, so the bound stays
    at its level however the recipe's spread differs from the start's; a spread that is small by luck, or because the
    metric has few values, counts as half the start's. One seed has no spread, and its value counts.

    Args:
        gate: The limit and its rule.
        values: One per seed.
        calibrated: The metric's calibrated spread; None if there is none.
        screened: Whether these are the few seeds of a screen. They can't show that a recipe passes, so it misses only
            what even the bound on the other side, with the calibrated spread, does not reach.
    """
    sign = 1.0 if gate.at_least is not None else -1.0
    own = estimate_spread(tuple(values))
    reached = own.mean
    if screened:
        if calibrated is not None:
            reached += sign * student_t(gate.confidence, max(calibrated.n - 1, 1)) * calibrated.sd / math.sqrt(own.n)
    elif gate.rule == "bound" and own.n > 1:
        sd = max(own.sd, _LEAST_SPREAD * calibrated.sd if calibrated else 0.0)
        reached -= sign * student_t(gate.confidence, own.n - 1) * sd / math.sqrt(own.n)
    return Margin(name=gate.metric, value=reached, limit=gate.limit, margin=sign * (reached - gate.limit))


def describe_miss(gate: Gate, values: Sequence[float], margin: Margin) -> str:
    what = f"{gate.metric} {fmean(values):.5g}"
    if margin.value != fmean(values):
        what += f" ({margin.value:.5g} at {gate.confidence:.0%} confidence over {len(values)} seeds)"
    return f"{what} misses the gate {margin.limit:g} by {-margin.margin:.2g}"


def measure_limits(task: Task, measurement: Measurement) -> tuple[Margin, ...]:
    """Return the room under each limit of the task, in bytes or seconds, from the box that came closest to it."""
    margins = [Margin.below("source", measurement.source_bytes, task.limits.source_bytes, "bytes")]
    for phase in task.phases:
        runs = [run for run in measurement.phases if run.phase == phase.name]
        if runs:
            margins.append(Margin.below(f"{phase.name} time", max(r.elapsed_s for r in runs), phase.limit_s, "s"))
        sizes = [run.artifact_bytes for run in runs if run.artifact_bytes is not None]
        if sizes and phase.artifact:
            margins.append(Margin.below(f"{phase.name} artifact", max(sizes), phase.artifact.max_bytes, "bytes"))
    if task.limits.total_bytes is not None:
        largest = max(values_per_seed(task, measurement)["artifact_bytes"], default=0.0)
        total = measurement.source_bytes + largest
        margins.append(Margin.below("total size", total, task.limits.total_bytes, "bytes"))
    return tuple(margins)
