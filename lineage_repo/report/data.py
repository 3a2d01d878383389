"""One flat row per trial, with all that the report's figures and tables show of it."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from statistics import median
from typing import Any, NamedTuple

from lineage_repo.analysis.diversity import find_most_similar
from lineage_repo.analysis.facts import (
    collect_margins,
    collect_values,
    compute_slot_seconds,
    find_gain_over_parent,
)
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Demotion, Proof, Trial
from lineage_repo.model.measurement import Record, Status
from lineage_repo.model.objective import Objective
from lineage_repo.model.status_table import family
from lineage_repo.monitor.record_view import level_text
from lineage_repo.prompting.queries import ancestry
from lineage_repo.record.claims import Claims, price
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.lanes import place_in_lanes
from lineage_repo.storage.message import heading

_TWO_SIDED_95 = 1.96


class TrialFacts(Record):
    """A trial as the report shows it. Times are in hours from the first start.

    Scores and gains are in the objective's unit; gains are positive where they are better, with the ends of their 95 %
    intervals, which are None where the noise is unknown.
    """

    t: int
    role: str
    status: Status
    family: str
    score: float | None
    value: float | None
    """The score, or the measured value of the metric if a limit or gate took the score away."""
    gain: float | None
    """Over the head when it was measured, the trial `against`."""
    low: float | None
    high: float | None
    against: int | None
    finding: str
    total: float | None
    """The gain over the start: 0 for the start itself."""
    total_low: float | None
    total_high: float | None
    claim: str
    """How well the gain is proven now, or which proof took that away."""
    expected: float | None
    """The gain over the parent that was predicted."""
    over_parent: float | None
    """The measured one, where the trial was compared with its parent."""
    parent: int | None
    on_path: bool
    """Whether it is the head or one of its ancestors."""
    end_h: float | None
    slot_h: float | None
    """Slot-hours that it cost."""
    spent_h: float | None
    """Slot-hours of all trials up to and including this one."""
    lane: int | None
    """A slot to draw it in, so that concurrent trials do not overlap; the record does not name slots."""
    near: float | None
    """Cosine to the most similar earlier hypothesis."""
    near_t: int | None
    title: str
    hypothesis: str
    failure: str
    margins: Mapping[str, float]


class Misses(NamedTuple):
    """How often trials missed one limit or gate."""

    trials: int
    """Trials with a recorded margin."""
    missed: int
    median: float
    """Of the misses, positive; 0 without a miss."""
    better: int
    """Misses whose metric was better than the head's score."""


class ReportData(NamedTuple):
    """The input of every figure, table and finding of a report."""

    lineage: Lineage
    rows: tuple[TrialFacts, ...]
    """In the order of recording, which differs from that of the numbers if trials ran side by side."""
    claims: Claims

    @property
    def objective(self) -> Objective:
        return self.lineage.task.objective

    @property
    def start_score(self) -> float | None:
        """The score of trial 0."""
        start = self.lineage.trials.get(0)
        return start.score if start else None

    @property
    def head_score(self) -> float | None:
        return self.lineage.head.score if self.lineage.head else None

    @property
    def path(self) -> list[TrialFacts]:
        """From the start to the head."""
        return [row for row in self.rows if row.on_path]

    @property
    def trials(self) -> tuple[TrialFacts, ...]:
        """All but the start."""
        return tuple(row for row in self.rows if row.t)

    @property
    def kept(self) -> list[TrialFacts]:
        """The keeps, in the order of recording."""
        return [row for row in self.trials if row.status is Status.KEEP]

    @property
    def superseded(self) -> list[TrialFacts]:
        """Keeps that are not ancestors of the head."""
        return [row for row in self.kept if not row.on_path]

    @property
    def predicted(self) -> list[TrialFacts]:
        """Trials with a predicted and a measured gain over the parent."""
        return [row for row in self.trials if row.expected is not None and row.over_parent is not None]

    @property
    def hours(self) -> float | None:
        """When the last trial ended; None if times are missing."""
        return max((row.end_h for row in self.rows if row.end_h is not None), default=None)

    @property
    def slot_hours(self) -> float:
        """Slot-hours of all trials and proofs."""
        last = (event for event in reversed(self.lineage.events) if not isinstance(event, Demotion))
        proofs = takewhile(lambda event: isinstance(event, Proof), last)
        after_s = sum(price(event.comparisons).slot_s for event in proofs)
        return after_s / 3600 + ((self.rows[-1].spent_h or 0.0) if self.rows else 0.0)

    @property
    def limits(self) -> list[str]:
        """Names of the limits and gates that some trial has a margin to."""
        return list(dict.fromkeys(name for row in self.trials for name in row.margins))

    def count_misses(self, name: str) -> Misses:
        """Count the trials that missed a limit."""
        margins = [(row.margins[name], row.value) for row in self.trials if name in row.margins]
        missed = [(-margin, value) for margin, value in margins if margin < 0]
        values = [value for _, value in missed if value is not None]
        head = self.head_score
        better = 0 if head is None else sum(self.objective.gain(value, head) > 0 for value in values)
        return Misses(len(margins), len(missed), median(m for m, _ in missed) if missed else 0.0, better)


def build_report_data(lineage: Lineage, noise: float | None = None) -> ReportData:
    """Fold a lineage into rows.

    Args:
        lineage: What is shown.
        noise: Standard deviation of one trial's score, from which an imported lineage gets its intervals.
    """
    trials, claims = list(lineage.trials.values()), Claims(lineage)
    similar, ends = _find_similar(trials), place_in_lanes(trials)
    path = {trial.number for trial in ancestry(lineage, lineage.head.number)} if lineage.head else set[int]()
    rows: list[TrialFacts] = []
    spent_h = 0.0
    for trial in lineage.events:
        if not isinstance(trial, Trial):
            # A proof takes slots too, whichever trials they were taken from.
            spent_h += price(trial.comparisons).slot_s / 3600 if isinstance(trial, Proof) else 0.0
            continue
        slot_s = compute_slot_seconds(trial) if trial.number else None
        spent_h += (slot_s or 0.0) / 3600
        end_h, lane = ends.get(trial.number, (None, None))
        near, near_t = similar.get(trial.number, (None, None))
        row = TrialFacts(
            t=trial.number,
            role=trial.proposal.specialist,
            status=trial.status,
            family=family(trial.status).name,
            **_outcome_facts(lineage, claims, trial, noise),
            parent=trial.proposal.parent,
            on_path=trial.number in path,
            end_h=end_h,
            slot_h=None if slot_s is None else slot_s / 3600,
            spent_h=spent_h,
            lane=lane,
            near=near,
            near_t=near_t,
            title=heading(trial.proposal),
            hypothesis=trial.proposal.hypothesis,
            failure=trial.verdict.failure or "",
            margins={name: margin.margin for name, margin in collect_margins(lineage.task, trial).items()},
        )
        rows.append(row)
    return ReportData(lineage, tuple(rows), claims)


def _outcome_facts(lineage: Lineage, claims: Claims, trial: Trial, noise: float | None) -> dict[str, Any]:
    """What a trial scored, gained and predicted."""
    verdict, claim, objective = trial.verdict, claims.of(trial.number), lineage.task.objective
    gain, total = (_widen(interval, noise if trial.imported else None) for interval in (verdict.gain, claim.gain))
    over_parent = find_gain_over_parent(lineage, trial)
    has_prediction = trial.number and not trial.lacks("expected_delta")
    measured = collect_values(lineage.task, trial).get(objective.metric)
    return {
        "score": verdict.score,
        "value": measured if verdict.score is None else verdict.score,
        "gain": gain.mean if gain else None,
        "low": gain.low if gain else None,
        "high": gain.high if gain else None,
        "against": verdict.against,
        "finding": verdict.finding or "",
        "total": 0.0 if trial.number == 0 and verdict.score is not None else total.mean if total else None,
        "total_low": total.low if total else None,
        "total_high": total.high if total else None,
        "claim": "" if trial.imported else level_text(claim.level, claim.demoted_by),
        "expected": objective.sign * trial.proposal.expected_delta if has_prediction else None,
        "over_parent": over_parent.mean if over_parent else None,
    }


def _widen(gain: Interval | None, noise: float | None) -> Interval | None:
    """Give the difference of two scores the interval that follows from their noise."""
    if gain is None or noise is None:
        return gain
    room = _TWO_SIDED_95 * math.sqrt(2) * noise
    return gain.model_copy(update={"low": gain.mean - room, "high": gain.mean + room})


def _find_similar(trials: Sequence[Trial]) -> dict[int, tuple[float, int]]:
    """For each trial the cosine to the most similar earlier hypothesis, and that trial's number."""
    counted = [trial for trial in trials if trial.number]
    try:
        similar = find_most_similar([trial.proposal.hypothesis for trial in counted])
    except UnsupportedError:
        return {}
    pairs = zip(counted[1:], similar[1:], strict=True)
    return {trial.number: (match.cosine, counted[match.place].number) for trial, match in pairs}


def find_pauses(rows: Sequence[TrialFacts], least_h: float = 1.0) -> list[tuple[float, float]]:
    """Return the gaps of over `least_h` hours between two records, as begin and end in hours."""
    ends = sorted(row.end_h for row in rows if row.end_h is not None)
    return [(a, b) for a, b in pairwise(ends) if b - a > least_h]
