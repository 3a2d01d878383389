"""Arms beside each other: what each reached, and how sure the differences are."""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.manifest import Objective
from lineage_repo.model.measurement import Record, Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.data import ReportData

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

    The best after N trials is compared over whole runs, drawn again with replacement within each arm; with one run in
    either arm there is no interval, since trials of one run depend on each other. Shares of keeps and of scored trials
    are compared over runs where each arm has two or more, else over trials, which ignores that dependence and is too
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
    """Compare arms; raise `UnsupportedError` where objectives differ or a run has no scored start."""
    runs = [(arm, name, survey) for arm, own in arms.items() for name, survey in own]
    objective = runs[0][2].lineage.task.objective
    for _, name, survey in runs:
        if survey.lineage.task.objective != objective:
            raise UnsupportedError(f"{name} has another objective than {runs[0][1]}: compare campaigns on one task")
        if not survey.trials:
            raise UnsupportedError(f"{name} has no trial yet: leave it out")
    common = min(len(survey.trials) for *_, survey in runs)
    lines = tuple(_line(arm, name, survey, common) for arm, name, survey in runs)
    found = [i for a, b in combinations(arms, 2) for i in _intervals(arms, lines, a, b, objective, common)]
    return Comparison(objective=objective, common_trials=common, runs=lines, intervals=tuple(found))


def trace_best(survey: ReportData) -> list[tuple[int, float, float]]:
    """Number of the trial in its order, slot-hours spent, best score: one entry per step and one at the end."""
    found = [(0, 0.0, _start(survey.lineage))]
    for i, row in enumerate(survey.trials, 1):
        if row.status is Status.KEEP and row.score is not None:
            found.append((i, row.spent_h or 0.0, row.score))
    return [*found, (len(survey.trials), survey.rows[-1].spent_h or 0.0, found[-1][2])]


def _start(lineage: Lineage) -> float:
    base = lineage.trials.get(0)
    if base is None or base.score is None:
        raise UnsupportedError(f"{lineage.campaign.name} has no scored start")
    return base.score


def _line(arm: str, name: str, survey: ReportData, common: int) -> RunLine:
    curve = trace_best(survey)
    families = [row.family for row in survey.trials]
    return RunLine(
        arm=arm,
        run=name,
        trials=len(survey.trials),
        start=curve[0][2],
        best=curve[-1][2],
        best_at=[score for n, _, score in curve if n <= common][-1],
        keeps=len(survey.kept),
        scored=sum(row.score is not None for row in survey.trials),
        slot_hours=survey.rows[-1].spent_h or None,
        counts={name: families.count(name) for name in dict.fromkeys(families)},
    )


def _intervals(
    arms: Arms, lines: Sequence[RunLine], first: str, second: str, objective: Objective, common: int
) -> list[Interval]:
    pairs = [[line for line in lines if line.arm == arm] for arm in (first, second)]
    found = [_of_best(pairs, first, second, f"best {objective.metric} after {common} trials")]
    for what, status in (("share of keeps", True), ("share of scored trials", False)):
        outcomes = [[_marks(survey, status) for _, survey in arms[arm]] for arm in (first, second)]
        found.append(_of_share(outcomes, first, second, what))
    return found


def _marks(survey: ReportData, keeps: bool) -> list[float]:
    return [float(row.status is Status.KEEP if keeps else row.score is not None) for row in survey.trials]


def _of_best(pairs: Sequence[Sequence[RunLine]], first: str, second: str, what: str) -> Interval:
    values = [[line.best_at for line in own] for own in pairs]
    difference = fmean(values[1]) - fmean(values[0])
    try:
        low, high = bootstrap(*values)
        basis = f"{len(values[0])} and {len(values[1])} runs drawn again"
    except UnsupportedError as error:
        low, high, basis = None, None, str(error)
    return Interval(what=what, first=first, second=second, difference=difference, low=low, high=high, basis=basis)


def _of_share(outcomes: Sequence[Sequence[Sequence[float]]], first: str, second: str, what: str) -> Interval:
    if all(len(own) > 1 for own in outcomes):
        values = [[fmean(run) for run in own] for own in outcomes]
        basis = f"{len(values[0])} and {len(values[1])} runs drawn again"
    else:
        values = [[mark for run in own for mark in run] for own in outcomes]
        basis = "trials drawn again as if they did not depend on each other: too narrow"
    low, high = bootstrap(*values) if min(map(len, values)) > 1 else (None, None)
    difference = fmean(values[1]) - fmean(values[0])
    return Interval(what=what, first=first, second=second, difference=difference, low=low, high=high, basis=basis)


def bootstrap(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The 95 % percentile interval of mean(second) - mean(first); raise `UnsupportedError` below two values each."""
    if min(len(first), len(second)) < 2:
        raise UnsupportedError("no interval: it needs two or more runs in each arm")
    draw = random.Random(0)  # noqa: S311 - repeatable on purpose, nothing secret
    found = sorted(
        fmean(draw.choices(second, k=len(second))) - fmean(draw.choices(first, k=len(first))) for _ in range(_DRAWS)
    )
    tail = round((1 - _LEVEL) / 2 * _DRAWS)
    return found[tail], found[-tail - 1]
