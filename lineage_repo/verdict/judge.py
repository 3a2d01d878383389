"""The judge: a pure function from what was measured to a verdict, so that `verify` can replay every one offline."""

import math
from collections.abc import Mapping
from statistics import NormalDist, fmean, stdev

from lineage_repo.model.ledger import Incumbent, Verdict
from lineage_repo.model.manifest import Gate, Task
from lineage_repo.model.measurement import Fault, Margin, Measurement, PhaseRun, Spread, Status

JUDGE_VERSION = 1
KEEP_CONFIDENCE = 0.975
"""One-sided: a recipe as good as the incumbent is kept in one of forty trials at most."""


def values_per_seed(task: Task, measurement: Measurement) -> dict[str, tuple[float, ...]]:
    """Every metric, one value per seed: the evaluator's and the harness's own."""
    timed = {p.name for p in task.phases if p.timed}
    counted = {p.name for p in task.phases if p.counted}
    seconds: list[float] = []
    processes: list[float] = []
    sizes: list[float] = []
    for index in range(len(measurement.box_seeds)):
        runs = [run for run in measurement.phases if run.seed_index in {index, None}]
        seconds.append(sum(run.elapsed_s for run in runs if run.phase in timed))
        processes.append(sum(run.setup_s + run.wall_s for run in runs if run.phase in timed))
        sizes.append(float(sum(run.artifact_bytes or 0 for run in runs if run.phase in counted)))
    own = {"seconds": tuple(seconds), "process_seconds": tuple(processes), "artifact_bytes": tuple(sizes)}
    return {
        **measurement.metrics,
        **own,
        "source_bytes": (float(measurement.source_bytes),) * len(measurement.box_seeds),
    }


def pool_measurements(runs: list[Measurement]) -> Measurement:
    """Several measurements of one recipe as one; seed indices run on."""
    seeds = tuple(s for run in runs for s in run.box_seeds)
    phases: list[PhaseRun] = []
    offset = 0
    for run in runs:
        for phase in run.phases:
            # What ran once for a run's seeds counts once for each of them, and for no other run's.
            covered = range(len(run.box_seeds)) if phase.seed_index is None else [phase.seed_index]
            phases += [phase.model_copy(update={"seed_index": index + offset}) for index in covered]
        offset += len(run.box_seeds)
    metrics = {name: tuple(v for run in runs for v in run.metrics[name]) for name in runs[0].metrics}
    return Measurement(
        trial_seeds=tuple(seed for run in runs for seed in run.trial_seeds),
        box_seeds=seeds,
        metrics=metrics,
        phases=tuple(phases),
        source_bytes=runs[0].source_bytes,
        clock=runs[0].clock,
        evaluator_s=sum(run.evaluator_s for run in runs),
        loop_cpu_s=tuple(reading for run in runs for reading in run.loop_cpu_s),
    )


def estimate_spread(values: tuple[float, ...]) -> Spread:
    """Mean and sample standard deviation; 0 for a single value."""
    return Spread(n=len(values), mean=fmean(values), sd=stdev(values) if len(values) > 1 else 0.0)


def threshold(task: Task, noise: Mapping[str, Spread], seeds: int, incumbent_seeds: int) -> float:
    """The gain that a keep must exceed: the manifest's `min_delta`, or what the calibrated noise makes believable."""
    if task.objective.min_delta is not None:
        return task.objective.min_delta
    known = noise.get(task.objective.metric)
    if known is None:
        return 0.0
    # A spread from few seeds is itself uncertain, so few calibrations make a keep harder, never easier.
    quantile = student_t(KEEP_CONFIDENCE, max(known.n - 1, 1))
    return quantile * known.sd * math.sqrt(1 / seeds + 1 / incumbent_seeds)


def judge(
    task: Task,
    measurement: Measurement | None,
    fault: Fault | None,
    incumbent: Incumbent | None,
    parent_score: float | None,
    noise: Mapping[str, Spread],
) -> Verdict:
    """Give the verdict of one trial.

    A fault decides first, then the gates, then the comparison with the incumbent. Without an incumbent a trial that
    passes its gates is the baseline.
    """
    margins = limit_margins(task, measurement) if measurement else ()
    if fault and fault.margin:
        margins = (fault.margin, *margins)
    if fault or measurement is None:
        line = fault.line if fault else "no measurement"
        return Verdict(status=fault.status if fault else Status.HARNESS_ABORT, failure=line, margins=margins)
    values = values_per_seed(task, measurement)
    gates = tuple(gate_margin(gate, values[gate.metric], noise.get(gate.metric)) for gate in task.gates)
    margins = (*gates, *margins)
    missed = [
        _miss(gate, values[gate.metric], found)
        for gate, found in zip(task.gates, gates, strict=True)
        if found.margin < 0
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


def gate_margin(gate: Gate, values: tuple[float, ...], known: Spread | None) -> Margin:
    """How far the mean, or its confidence bound, lies on the right side of the gate.

    The bound takes the larger of the trial's own and the calibrated spread: a lucky small spread buys nothing.
    """
    limit = gate.limit
    sign = 1.0 if gate.at_least is not None else -1.0
    mine = estimate_spread(values)
    reached = mine.mean
    if gate.rule == "bound":
        freedom = mine.n - 1 + (known.n - 1 if known else 0)
        sd = max(mine.sd, known.sd if known else 0.0)
        reached -= sign * student_t(gate.confidence, max(freedom, 1)) * sd / math.sqrt(mine.n)
    return Margin(name=gate.metric, value=reached, limit=limit, margin=sign * (reached - limit))


def _miss(gate: Gate, values: tuple[float, ...], found: Margin) -> str:
    what = f"{gate.metric} {fmean(values):.5g}"
    if gate.rule == "bound":
        what += f" ({found.value:.5g} at {gate.confidence:.0%} confidence over {len(values)} seeds)"
    return f"{what} misses the gate {found.limit:g} by {-found.margin:.2g}"


def limit_margins(task: Task, measurement: Measurement) -> tuple[Margin, ...]:
    """The room left under every limit of the task, from the worst box."""
    rows = [limit_margin("source", measurement.source_bytes, task.limits.source_bytes, "bytes")]
    for phase in task.phases:
        runs = [run for run in measurement.phases if run.phase == phase.name]
        if runs:
            rows.append(limit_margin(f"{phase.name} time", max(run.elapsed_s for run in runs), phase.limit_s, "s"))
        sizes = [run.artifact_bytes for run in runs if run.artifact_bytes is not None]
        if sizes and phase.artifact:
            rows.append(limit_margin(f"{phase.name} artifact", max(sizes), phase.artifact.max_bytes, "bytes"))
    if task.limits.total_bytes is not None:
        largest = max(values_per_seed(task, measurement)["artifact_bytes"], default=0.0)
        rows.append(limit_margin("total size", measurement.source_bytes + largest, task.limits.total_bytes, "bytes"))
    return tuple(rows)


def limit_margin(name: str, value: float, limit: float, unit: str) -> Margin:
    """Return the room that `value` leaves below `limit`, both in `unit`; negative above it."""
    return Margin(name=name, value=value, limit=limit, margin=limit - value, unit=unit)


def student_t(confidence: float, freedom: int) -> float:
    """One-sided quantile of Student's t by bisection; the normal one above 200 degrees of freedom."""
    if freedom > 200:
        return NormalDist().inv_cdf(confidence)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_t(middle, freedom) < 2 * confidence - 1 else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def student_p(t: float, freedom: int) -> float:
    """One-sided tail of Student's t: the probability of a value above `t`."""
    half = _central_t(math.atan(abs(t) / math.sqrt(freedom)), freedom) / 2
    return 0.5 - half if t >= 0 else 0.5 + half


def _central_t(angle: float, freedom: int) -> float:
    """P(|T| <= t) for t = sqrt(freedom) tan(angle) (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(2 + odd, freedom, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
