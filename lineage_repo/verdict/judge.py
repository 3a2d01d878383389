"""The judge: a pure function from what was measured to a verdict, so that `verify` can replay every one offline."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from lineage_repo.model.comparison import Comparison, Interval
from lineage_repo.model.ledger import Finding, Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Spread, Status, pool_measurements
from lineage_repo.verdict import rules
from lineage_repo.verdict.margins import describe_miss, gate_margin, measure_limits, values_per_seed
from lineage_repo.verdict.statistics import estimate_spread

JUDGE_VERSION = 2
"""Changes with every change to a number that the judge computes; `verify` replays this version only."""
MAX_ROUNDS = 3
"""How often a trial that beats its head in blocks is measured again, because the head has moved meanwhile."""
_ROUNDING = 0.01
"""Share of a seed's deviation below which a gain is rounding, as under shared seeds."""
_NO_SPREAD = Spread(n=2, mean=0.0, sd=0.0)


def judge(
    task: Task,
    comparisons: Sequence[Comparison],
    fault: Fault | None,
    head: int | None,
    noise: Mapping[str, Spread],
) -> Verdict:
    """Give the verdict of one trial; a pure function of its arguments.

    A fault decides first, then the gates, then the last comparison. Without a head a trial that passes its gates is the
    baseline. With one it is a keep if its blocks move the head (`rules.moves_head`), otherwise a discard.

    Args:
        task: The manifest: objective, gates, limits and the judge's rule.
        comparisons: What was measured: the screen, then blocks; empty if the trial did not get that far.
        fault: Why the measurement is incomplete; its status and failure become the verdict's.
        head: The head at the moment of judging, which only blocks against itself move; None for the start.
        noise: Metric to its calibrated spread over seeds (`Index.noise`).

    Returns:
        Status, score, gain with its interval, finding, and the margin of each gate and limit that was measured. With
        neither comparisons nor fault the status is `harness_abort`.
    """
    measurement = pool_measurements([c.candidate for c in comparisons]) if comparisons else None
    margins = measure_limits(task, measurement) if measurement else ()
    if fault and fault.margin:
        margins = (fault.margin, *margins)
    if fault or measurement is None:
        failure = fault.failure if fault else "no measurement"
        return Verdict(status=fault.status if fault else Status.HARNESS_ABORT, failure=failure, margins=margins)
    values = values_per_seed(task, measurement)
    screened = head is not None and len(comparisons) == 1 and task.judge.rule == "paired"
    gates = tuple(
        gate_margin(gate, values[gate.metric], noise.get(gate.metric), screened=screened) for gate in task.gates
    )
    margins = (*gates, *margins)
    missed = [
        describe_miss(gate, values[gate.metric], margin)
        for gate, margin in zip(task.gates, gates, strict=True)
        if margin.margin < 0
    ]
    if missed:
        return Verdict(status=Status.DISQUALIFIED, failure="; ".join(missed), margins=margins)
    score = fmean(values[task.objective.metric])
    if head is None:
        return Verdict(status=Status.BASELINE, score=score, margins=margins)
    finding, gain = _find(task, comparisons, head, noise)
    return Verdict(
        status=Status.KEEP if finding == "better" else Status.DISCARD,
        score=score,
        against=comparisons[-1].against,
        gain=gain,
        finding=finding,
        margins=margins,
    )


def wants_blocks(task: Task, comparisons: Sequence[Comparison], head: int, noise: Mapping[str, Spread]) -> bool:
    """Return whether blocks against the head come next: the screen was passed, or the head has moved since a pass."""
    if task.judge.rule == "any" or len(comparisons) > MAX_ROUNDS:
        return False
    if judge(task, comparisons, None, head, noise).status is Status.DISQUALIFIED:
        return False
    if len(comparisons) == 1:
        spread = noise.get(task.objective.metric, _NO_SPREAD)
        return _passes_screen(task, comparisons[0], spread)
    last, least = comparisons[-1], _find_least_gain(task, noise)
    return last.against != head and rules.moves_head(task.judge, paired_gains(task, last), least)


def _find_least_gain(task: Task, noise: Mapping[str, Spread]) -> float:
    """Return the smallest gain that moves the head: what rounding leaves between equal recipes is not a gain."""
    spread = noise.get(task.objective.metric, _NO_SPREAD)
    return max(task.objective.min_delta, _ROUNDING * spread.sd)


def _find(
    task: Task, comparisons: Sequence[Comparison], head: int, noise: Mapping[str, Spread]
) -> tuple[Finding, Interval]:
    """Return what the last comparison shows, and its gain."""
    last, rule, min_delta = comparisons[-1], task.judge, _find_least_gain(task, noise)
    spread = noise.get(task.objective.metric, _NO_SPREAD)
    if len(comparisons) == 1:
        gain = rules.screen_gain(_values(task, last), *_read_window(task, last, spread))
        if rule.rule == "any":
            moves = last.against == head and gain.mean > 0 and gain.mean >= min_delta
            return "better" if moves else _tie_or_worse(gain), gain
        if last.candidate.n_seeds < rule.screen_seeds:
            return "tie" if gain.is_tie else "hopeless", gain
        return "promising" if _passes_screen(task, last, spread) else _tie_or_worse(gain), gain
    gains = paired_gains(task, last)
    gain = rules.paired_gain(gains)
    if last.against == head and rules.moves_head(rule, gains, min_delta):
        return "better", gain
    return "promising" if gain.mean > 0 else _tie_or_worse(gain), gain


def _tie_or_worse(gain: Interval) -> Finding:
    return "tie" if gain.is_tie or gain.mean >= 0 else "worse"


def _passes_screen(task: Task, screen: Comparison, spread: Spread) -> bool:
    complete = screen.candidate.n_seeds >= task.judge.screen_seeds
    return complete and rules.passes_screen(task.judge, _values(task, screen), *_read_window(task, screen, spread))


def _read_window(task: Task, screen: Comparison, calibrated: Spread) -> tuple[list[float], Spread]:
    """Return the head's last values that a screen compares with, oriented, and the spread of one seed."""
    values = [task.objective.sign * value for value in screen_values(task, screen)]
    if task.judge.rule == "any":
        return values, calibrated
    recent = rules.find_recent(task.judge, values, calibrated)
    return recent, rules.find_spread(recent, calibrated)


def screen_values(task: Task, screen: Comparison) -> tuple[float, ...]:
    """Return the head's earlier values and the one that was measured beside the screen, in the objective's unit."""
    beside = values_per_seed(task, screen.reference)[task.objective.metric] if screen.reference else ()
    return screen.window + beside


def find_hopeless_bound(task: Task, values: Sequence[float], noise: Mapping[str, Spread]) -> float | None:
    """Return the objective's value at which a first seed is hopeless; None if nothing is known of the head.

    Args:
        task: Gives the rule and the direction of the objective.
        values: Of the head, the oldest first, in the objective's unit.
        noise: Metric to its calibrated spread.
    """
    spread = noise.get(task.objective.metric)
    if not values or not spread or task.judge.rule == "any" or task.judge.screen_seeds == 1:
        return None
    sign = task.objective.sign
    recent = rules.find_recent(task.judge, [sign * value for value in values], spread)
    return sign * rules.hopeless_bound(task.judge, recent, rules.find_spread(recent, spread))


def paired_gains(task: Task, *comparisons: Comparison, metric: str | None = None) -> list[float]:
    """Return the candidate's gain over the reference in each block, in time order, in the unit of the metric.

    Args:
        task: Gives the objective, whose direction a reserved metric shares.
        comparisons: Blocks: as many seeds of the reference as of the candidate.
        metric: What is compared; the objective's metric for None.
    """
    return [
        ours - theirs
        for c in comparisons
        for ours, theirs in zip(
            _values(task, c, metric=metric), _values(task, c, reference=True, metric=metric), strict=True
        )
    ]


def find_spreads(
    task: Task, comparisons: Sequence[Comparison], metric: str | None = None
) -> tuple[Spread, Spread] | None:
    """Return how the values of both sides vary over the seeds of these blocks; None where they have fewer than two."""
    sides = [
        tuple(v for c in comparisons for v in _values(task, c, reference=side, metric=metric)) for side in (False, True)
    ]
    return None if min(map(len, sides)) < 2 else (estimate_spread(sides[0]), estimate_spread(sides[1]))


def _values(
    task: Task, comparison: Comparison, *, reference: bool = False, metric: str | None = None
) -> tuple[float, ...]:
    """Return the values of one side, oriented so that more is better."""
    measurement = comparison.reference if reference else comparison.candidate
    if measurement is None:
        return ()
    sign = task.objective.sign
    return tuple(sign * value for value in values_per_seed(task, measurement)[metric or task.objective.metric])
