"""The judge: a pure function from what was measured to a verdict, so that `verify` can replay every one offline."""

import math
from collections.abc import Mapping
from statistics import fmean

from lineage_repo.model.ledger import Incumbent, Verdict
from lineage_repo.model.manifest import Gate, Task
from lineage_repo.model.measurement import Fault, Margin, Measurement, PhaseRun, Spread, Status
from lineage_repo.verdict.statistics import estimate_spread, student_t

JUDGE_VERSION = 1
"""Changes with every change to a number that the judge computes; `verify` replays this version only."""
KEEP_CONFIDENCE = 0.975
"""One-sided, as in a two-sided 95 % interval: at most one of forty trials keeps a recipe that is no better."""


def judge(
    task: Task,
    measurement: Measurement | None,
    fault: Fault | None,
    incumbent: Incumbent | None,
    parent_score: float | None,
    noise: Mapping[str, Spread],
) -> Verdict:
    """Give the verdict of one trial; a pure function of its arguments.

    A fault decides first, then the gates, then the comparison with the incumbent. Without an incumbent a trial that
    passes its gates is the baseline. With one it is a keep if its gain exceeds `threshold`, otherwise a discard.

    Args:
        task: The manifest: objective, gates and limits.
        measurement: What was measured; None if the trial did not get that far.
        fault: Why the measurement is incomplete; its status and failure become the verdict's.
        incumbent: The best trial at the moment of judging; None for the start.
        parent_score: Score of the parent, in the objective's unit; it only gives `delta_vs_parent`.
        noise: Metric to its calibrated spread over seeds (`Index.noise`).

    Returns:
        Status, score and deltas in the objective's unit, and the margin of each gate and limit that was measured. With
        neither measurement nor fault the status is `harness_abort`.
    """
    margins = measure_limits(task, measurement) if measurement else ()
    if fault and fault.margin:
        margins = (fault.margin, *margins)
    if fault or measurement is None:
        failure = fault.failure if fault else "no measurement"
        return Verdict(status=fault.status if fault else Status.HARNESS_ABORT, failure=failure, margins=margins)
    values = values_per_seed(task, measurement)
    gates = tuple(gate_margin(gate, values[gate.metric], noise.get(gate.metric)) for gate in task.gates)
    margins = (*gates, *margins)
    missed = [
        _describe_miss(gate, values[gate.metric], margin)
        for gate, margin in zip(task.gates, gates, strict=True)
        if margin.margin < 0
    ]
    if missed:
        return Verdict(status=Status.DISQUALIFIED, failure="; ".join(missed), margins=margins)
    score = fmean(values[task.objective.metric])
    if incumbent is None:
        return Verdict(status=Status.BASELINE, score=score, margins=margins)
    needed = threshold(task, noise, len(measurement.box_seeds), incumbent.n_seeds)
    return Verdict(
        status=Status.KEEP if task.objective.gain(score, incumbent.score) > needed else Status.DISCARD,
        score=score,
        delta_vs_best=score - incumbent.score,
        delta_vs_parent=None if parent_score is None else score - parent_score,
        threshold=needed,
        margins=margins,
    )


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


def pool_measurements(measurements: list[Measurement]) -> Measurement:
    """Return several measurements of one recipe as one with all their seeds, whose indices run on.

    A phase that ran once for all seeds of a measurement becomes one run per seed of that measurement. Source bytes and
    clock are the first measurement's.
    """
    first = measurements[0]
    phases: list[PhaseRun] = []
    offset = 0
    for measurement in measurements:
        n_seeds = len(measurement.box_seeds)
        for run in measurement.phases:
            covered = range(n_seeds) if run.seed_index is None else [run.seed_index]
            phases += [run.model_copy(update={"seed_index": index + offset}) for index in covered]
        offset += n_seeds
    return Measurement(
        trial_seeds=tuple(seed for m in measurements for seed in m.trial_seeds),
        box_seeds=tuple(seed for m in measurements for seed in m.box_seeds),
        metrics={name: tuple(v for m in measurements for v in m.metrics[name]) for name in first.metrics},
        phases=tuple(phases),
        source_bytes=first.source_bytes,
        clock=first.clock,
        evaluator_s=sum(m.evaluator_s for m in measurements),
        loop_cpu_s=tuple(reading for m in measurements for reading in m.loop_cpu_s),
    )


def threshold(task: Task, noise: Mapping[str, Spread], n_seeds: int, incumbent_n_seeds: int) -> float:
    """Return the gain that a keep must exceed, in the objective's unit.

    This is the manifest's `min_delta` if it has one, otherwise t * sd * sqrt(1 / n_seeds + 1 / incumbent_n_seeds):
    the gain that an equally good recipe stays below with probability `KEEP_CONFIDENCE`. Here sd is the calibrated
    deviation of the objective and t Student's quantile for its degrees of freedom. Without a calibration it is 0.
    """
    if task.objective.min_delta is not None:
        return task.objective.min_delta
    spread = noise.get(task.objective.metric)
    if spread is None:
        return 0.0
    # A deviation from few seeds is itself uncertain; Student's quantile makes a keep harder then, never easier.
    quantile = student_t(KEEP_CONFIDENCE, max(spread.n - 1, 1))
    return quantile * spread.sd * math.sqrt(1 / n_seeds + 1 / incumbent_n_seeds)


def gate_margin(gate: Gate, values: tuple[float, ...], known: Spread | None) -> Margin:
    """Return how far a trial is on the right side of a gate, in the metric's unit; negative if it misses the gate.

    With the rule `mean` the mean of `values` (one per seed) counts. With `bound` its one-sided confidence bound does:
    mean -+ t * sd / sqrt(n), on the side of the gate. Here sd is the larger of the trial's own and the calibrated
    deviation, so a small spread by luck gains nothing, and t has the degrees of freedom of both together.

    Args:
        known: The metric's calibrated spread; None if there is none.
    """
    sign = 1.0 if gate.at_least is not None else -1.0
    own = estimate_spread(values)
    reached = own.mean
    if gate.rule == "bound":
        degrees = own.n - 1 + (known.n - 1 if known else 0)
        sd = max(own.sd, known.sd if known else 0.0)
        reached -= sign * student_t(gate.confidence, max(degrees, 1)) * sd / math.sqrt(own.n)
    return Margin(name=gate.metric, value=reached, limit=gate.limit, margin=sign * (reached - gate.limit))


def _describe_miss(gate: Gate, values: tuple[float, ...], margin: Margin) -> str:
    what = f"{gate.metric} {fmean(values):.5g}"
    if gate.rule == "bound":
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
