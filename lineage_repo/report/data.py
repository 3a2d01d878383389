"""One flat row per trial: all that the report's figures and tables show of it."""

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from lineage_repo.analysis.diversity import MostSimilar, find_most_similar
from lineage_repo.analysis.facts import collect_margins, collect_values, compute_slot_seconds
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Record, Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.palette import family
from lineage_repo.storage.message import heading


class TrialFacts(Record):
    """A trial as the report shows it: scores and deltas in the metric's unit, times in hours from the first start."""

    t: int
    role: str
    status: Status
    family: str
    score: float | None
    value: float | None
    """The score, or what was measured of the metric all the same where a limit or gate took the score."""
    vs_best: float | None
    vs_parent: float | None
    gain: float | None
    """Against the best at the time; positive is better."""
    expected: float | None
    parent: int | None
    on_path: bool
    """Whether it is the best or one of its ancestors."""
    end_h: float | None
    slot_h: float | None
    """Slot-hours that it cost."""
    spent_h: float | None
    """Slot-hours of all trials up to and with this one."""
    lane: int | None
    """Which of the concurrent slots a reader may picture it in; the record does not name slots."""
    near: float | None
    """Cosine to the most similar earlier hypothesis."""
    near_t: int | None
    title: str
    hypothesis: str
    failure: str
    margins: Mapping[str, float]


class ReportData(NamedTuple):
    """What the whole report is made from."""

    lineage: Lineage
    rows: tuple[TrialFacts, ...]
    """In the order of recording, which is not that of the numbers where trials ran side by side."""
    noise: float | None
    """Standard deviation of one trial's score: the calibrated spread over seeds, by the root of a trial's seeds."""

    @property
    def path(self) -> list[TrialFacts]:
        """From the start to the best."""
        return [row for row in self.rows if row.on_path]

    @property
    def trials(self) -> tuple[TrialFacts, ...]:
        """All but the start."""
        return tuple(row for row in self.rows if row.t)

    @property
    def kept(self) -> list[TrialFacts]:
        """The keeps, in the order of recording."""
        return [row for row in self.trials if row.status is Status.KEEP]


def build_report_data(lineage: Lineage, noise: float | None = None) -> ReportData:
    """Fold a lineage into rows; `noise` is for a lineage that holds no calibration."""
    trials = list(lineage.trials.values())
    spread = lineage.noise(lineage.task).get(lineage.task.objective.metric) if lineage.calibrations else None
    if noise is None and spread:
        noise = spread.sd / sqrt(lineage.task.n_seeds)
    path, near, when = _path(lineage), _near(trials), _times(trials)
    rows: list[TrialFacts] = []
    spent = 0.0
    for trial in trials:
        hours = compute_slot_seconds(trial) if trial.number else None
        spent += (hours or 0.0) / 3600
        rows.append(_row(lineage, trial, trial.number in path, near.get(trial.number), when.get(trial.number), spent))
    return ReportData(lineage, tuple(rows), noise)


class _When(NamedTuple):
    end_h: float
    lane: int | None


def _row(
    lineage: Lineage, trial: Trial, on_path: bool, near: MostSimilar | None, when: _When | None, spent: float
) -> TrialFacts:
    outcome, seconds = trial.verdict, compute_slot_seconds(trial) if trial.number else None
    best = outcome.delta_vs_best
    return TrialFacts(
        t=trial.number,
        role=trial.proposal.specialist,
        status=trial.status,
        family=family(trial.status).name,
        score=outcome.score,
        value=collect_values(lineage.task, trial).get(lineage.task.objective.metric)
        if outcome.score is None
        else outcome.score,
        vs_best=best,
        vs_parent=outcome.delta_vs_parent,
        gain=None if best is None else lineage.task.objective.gain(best, 0.0),
        expected=None if trial.lacks("expected_delta") or not trial.number else trial.proposal.expected_delta,
        parent=trial.proposal.parent,
        on_path=on_path,
        end_h=when.end_h if when else None,
        slot_h=None if seconds is None else seconds / 3600,
        spent_h=spent,
        lane=when.lane if when else None,
        near=near.cosine if near else None,
        near_t=near.index if near else None,
        title=heading(trial.proposal),
        hypothesis=trial.proposal.hypothesis,
        failure=outcome.failure or "",
        margins={name: margin.margin for name, margin in collect_margins(lineage.task, trial).items()},
    )


def _path(lineage: Lineage) -> set[int]:
    found: set[int] = set()
    at = lineage.best.number if lineage.best else None
    while at is not None and at in lineage.trials and at not in found:
        found.add(at)
        at = lineage.trials[at].proposal.parent
    return found


def _near(trials: Sequence[Trial]) -> dict[int, MostSimilar]:
    counted = [trial for trial in trials if trial.number]
    try:
        found = find_most_similar([trial.proposal.hypothesis for trial in counted])
    except UnsupportedError:
        return {}
    return {
        trial.number: MostSimilar(near.cosine, counted[near.index].number)
        for trial, near in zip(counted[1:], found[1:], strict=True)
    }


def _times(trials: Sequence[Trial]) -> dict[int, _When]:
    """When trials ended, and the lowest lane that was free when each began; nothing where a time is missing."""
    counted = [trial for trial in trials if trial.number]
    if not counted or any(trial.lacks("time") for trial in counted):
        return {}
    spans = sorted(
        (trial.at.timestamp() - (compute_slot_seconds(trial) or 0.0), trial.at.timestamp(), trial.number)
        for trial in counted
    )
    first, busy, free, lanes = spans[0][0], list[tuple[float, int]](), list[int](), 0
    found: dict[int, _When] = {}
    for begun, ended, number in spans:
        while busy and busy[0][0] <= begun + 1:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            heapq.heappush(free, lanes)
            lanes += 1
        lane = heapq.heappop(free)
        heapq.heappush(busy, (ended, lane))
        found[number] = _When((ended - first) / 3600, lane)
    return found


def find_pauses(rows: Sequence[TrialFacts], least_h: float = 1.0) -> list[tuple[float, float]]:
    """Gaps of over `least_h` hours between two records, as begin and end in hours."""
    ends = sorted(row.end_h for row in rows if row.end_h is not None)
    return [(a, b) for a, b in pairwise(ends) if b - a > least_h]
