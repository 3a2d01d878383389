"""How close the trials came to their budgets, limits and gates."""

import math
from collections.abc import Mapping
from statistics import median, stdev

from lineage_repo.analysis import facts
from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Margin, Record, Status
from lineage_repo.record.lineage import Lineage

BUDGETS = (Status.SIZE_BLOCKED, Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN)
_NEAR_SD = 2.0


class BudgetHits(Record):
    """The share of trials that ended over a budget, by status."""

    trials: int
    counts: dict[Status, int]

    def lines(self) -> list[str]:
        """Format for people."""
        return [f"{status:21} {format_share(n, self.trials)}" for status, n in self.counts.items()]


class MarginRow(Record):
    """How close trials came to one limit or gate. Margins are in its unit; a negative one is a miss."""

    name: str
    limit: float
    trials: int
    """Trials with a recorded value."""
    missed: int
    near_misses_1_percent: int
    """The paper's near misses: missed by less than 1 % of the limit."""
    near_misses: int | None
    """Missed by less than two standard deviations of the quantity, by the start's calibrated spread; None where that is
    unknown, as for an import."""
    near_passes: int | None
    """Passed by less than that."""
    median: float
    closest_pass: float | None
    closest_miss: float | None


class Margins(Record):
    """Every limit's margins, over the trials that have them."""

    rows: tuple[MarginRow, ...]

    def lines(self) -> list[str]:
        """Format for people."""
        return [
            f"{r.name} {r.limit:g}: missed {format_share(r.missed, r.trials)}{_near_text(r)}, "
            f"{r.near_misses_1_percent} by less than 1 % (the paper's near misses); "
            f"median {r.median:+.6g}, closest pass {_text(r.closest_pass)}, closest miss {_text(r.closest_miss)}"
            for r in self.rows
        ]


def _near_text(row: MarginRow) -> str:
    if row.near_misses is None:
        return ""
    return f", {row.near_misses} by less than 2 sd, {row.near_passes} passed by less"


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:+.6g}"


def compute_budget_hits(lineage: Lineage) -> BudgetHits:
    """Count trials over a budget; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    return BudgetHits(trials=len(trials), counts={s: sum(t.status is s for t in trials) for s in BUDGETS})


def compute_margins(lineage: Lineage) -> Margins:
    """Compute the margins; raise `UnsupportedError` if no trial has one."""
    by_limit: dict[str, list[tuple[Trial, Margin]]] = {}
    for trial in list_trials(lineage):
        for name, margin in facts.collect_margins(lineage.task, trial).items():
            by_limit.setdefault(name, []).append((trial, margin))
    if not by_limit:
        raise UnsupportedError("no trial has a margin: no limit is known, or nothing was measured")
    spreads = _find_spreads(lineage)
    return Margins(rows=tuple(_summarize(name, own, spreads) for name, own in by_limit.items()))


def _find_spreads(lineage: Lineage) -> dict[str, tuple[float, bool]]:
    """Return the calibrated standard deviation behind each margin, and whether it is that of a mean over seeds.

    A gate looks at a mean, a limit on time or size at the one box that came closest.
    """
    gated = {gate.metric for gate in lineage.task.gates}
    found = {name: (spread.sd, True) for name, spread in lineage.noise(lineage.task).items() if name in gated}
    values: dict[str, list[float]] = {}
    for calibration in lineage.calibrations:
        for run in calibration.measurement.phases:
            values.setdefault(f"{run.phase} time", []).append(run.elapsed_s)
            values.setdefault(f"{run.phase} artifact", []).append(float(run.artifact_bytes or 0))
    return found | {name: (stdev(own), False) for name, own in values.items() if len(own) > 1}


def _summarize(name: str, own: list[tuple[Trial, Margin]], spreads: Mapping[str, tuple[float, bool]]) -> MarginRow:
    margins = [margin.margin for _, margin in own]
    passed, missed = [m for m in margins if m >= 0], [m for m in margins if m < 0]
    limit = own[0][1].limit
    sd, of_mean = spreads.get(own[0][1].name, (0.0, False))
    near = [
        margin.margin
        for trial, margin in own
        if abs(margin.margin) < _NEAR_SD * sd / (math.sqrt(trial.n_seeds) if of_mean else 1)
    ]
    return MarginRow(
        name=name,
        limit=limit,
        trials=len(own),
        missed=len(missed),
        near_misses_1_percent=sum(-m < abs(limit) / 100 for m in missed),
        near_misses=sum(m < 0 for m in near) if sd else None,
        near_passes=sum(m >= 0 for m in near) if sd else None,
        median=median(margins),
        closest_pass=min(passed, default=None),
        closest_miss=max(missed, default=None),
    )
