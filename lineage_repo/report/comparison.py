"""Arms beside each other: what each reached, and how sure the differences are."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.manifest import Objective
from lineage_repo.model.measurement import Record, Status
from lineage_repo.report.data import ReportData, TrialFacts

_DRAWS = 2000
_LEVEL = 0.95


class RunLine(Record):
    """One run."""

    arm: str
    run: str
    trials: int
    start: float
    best: float
    best_at: float
    """The best score after as many trials as the shortest run has."""
    keeps: int
    scored: int
    slot_hours: float | None
    counts: Mapping[str, int]
    """Trials by family of outcome."""


class Interval(Record):
    """A difference of two arms, the second minus the first, with a percentile bootstrap interval of 95 %."""

    what: str
    first: str
    second: str
    difference: float | None
    low: float | None
    high: float | None
    basis: str
    """What was drawn again, or why there is no interval."""


class Comparison(Record):
    """Several campaigns on one objective.

    The best after N trials is compared over whole runs, drawn again with replacement within each arm. With one run in
    either arm there is no interval, since trials of one run depend on each other. Shares of keeps and of scored trials
    are compared over runs if each arm has two or more, else over trials, which ignores that dependence and is too
    narrow. Draws are repeatable.
    """

    objective: Objective
    common_trials: int
    """As many trials as the shortest run has."""
    runs: tuple[RunLine, ...]
    intervals: tuple[Interval, ...]


Arms = Mapping[str, Sequence[tuple[str, ReportData]]]
"""Runs by arm, each with its name."""


def compare_arms(arms: Arms) -> Comparison:
    """Compare arms.

    Raises:
        UnsupportedError: objectives differ, or a run has no trial or no scored start.
    """
    runs = [(arm, name, data) for arm, own in arms.items() for name, data in own]
    objective = runs[0][2].objective
    for _, name, data in runs:
        if data.objective != objective:
            raise UnsupportedError(f"{name} has another objective than {runs[0][1]}: compare campaigns on one task")
        if not data.trials:
            raise UnsupportedError(f"{name} has no trial yet: leave it out")
    common = min(len(data.trials) for *_, data in runs)
    lines = tuple(_summarize(arm, name, data, common) for arm, name, data in runs)
    best = f"best {objective.metric} after {common} trials"
    intervals = tuple(i for pair in combinations(arms, 2) for i in _compare_pair(arms, lines, pair, best))
    return Comparison(objective=objective, common_trials=common, runs=lines, intervals=intervals)


def trace_best(data: ReportData) -> list[tuple[int, float, float]]:
    """Return trials so far, slot-hours spent and best score: one entry per step and one at the end.

    Raises:
        UnsupportedError: the start has no score.
    """
    if data.start_score is None:
        raise UnsupportedError(f"{data.lineage.campaign.name} has no scored start")
    steps = [(0, 0.0, data.start_score)]
    for i, row in enumerate(data.trials, 1):
        if row.status is Status.KEEP and row.score is not None:
            steps.append((i, row.spent_h or 0.0, row.score))
    return [*steps, (len(data.trials), data.slot_hours, steps[-1][2])]


def _summarize(arm: str, name: str, data: ReportData, common: int) -> RunLine:
    curve = trace_best(data)
    families = [row.family for row in data.trials]
    return RunLine(
        arm=arm,
        run=name,
        trials=len(data.trials),
        start=curve[0][2],
        best=curve[-1][2],
        best_at=[score for n, _, score in curve if n <= common][-1],
        keeps=len(data.kept),
        scored=sum(row.score is not None for row in data.trials),
        slot_hours=data.slot_hours or None,
        counts={name: families.count(name) for name in dict.fromkeys(families)},
    )


def _compare_pair(arms: Arms, lines: Sequence[RunLine], pair: tuple[str, str], best: str) -> Iterator[Interval]:
    values = [[line.best_at for line in lines if line.arm == arm] for arm in pair]
    several = min(map(len, values)) > 1
    runs = f"{len(values[0])} and {len(values[1])} runs drawn again"
    yield _compare_values(best, pair, values, runs if several else "no interval: it needs two or more runs in each arm")
    marks: dict[str, Callable[[TrialFacts], bool]] = {
        "share of keeps": lambda row: row.status is Status.KEEP,
        "share of scored trials": lambda row: row.score is not None,
    }
    for what, mark in marks.items():
        trials = [[[float(mark(row)) for row in data.trials] for _, data in arms[arm]] for arm in pair]
        if several:
            values = [[fmean(run) for run in own] for own in trials]
        else:
            values = [[value for run in own for value in run] for own in trials]
        narrow = "trials drawn again as if they did not depend on each other: too narrow"
        yield _compare_values(what, pair, values, runs if several else narrow)


def _compare_values(what: str, pair: tuple[str, str], values: Sequence[Sequence[float]], basis: str) -> Interval:
    difference = fmean(values[1]) - fmean(values[0])
    low, high = bootstrap(*values) if min(map(len, values)) > 1 else (None, None)
    first, second = pair
    return Interval(what=what, first=first, second=second, difference=difference, low=low, high=high, basis=basis)


def bootstrap(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % percentile interval of mean(second) - mean(first).

    Raises:
        UnsupportedError: either has fewer than two values.
    """
    if min(len(first), len(second)) < 2:
        raise UnsupportedError("no interval: it needs two or more runs in each arm")
    draw = random.Random(0)  # noqa: S311 - repeatable on purpose, nothing secret
    differences = sorted(
        fmean(draw.choices(second, k=len(second))) - fmean(draw.choices(first, k=len(first))) for _ in range(_DRAWS)
    )
    tail = round((1 - _LEVEL) / 2 * _DRAWS)
    return differences[tail], differences[-tail - 1]
