"""How close the trials came to their budgets, limits and gates."""

from statistics import median

from lineage_repo.analysis import facts
from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Margin, Record, Status
from lineage_repo.record.lineage import Lineage

BUDGETS = (Status.SIZE_BLOCKED, Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN)


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
    near_misses: int
    """Missed by less than 1 % of the limit."""
    median: float
    closest_pass: float | None
    closest_miss: float | None


class Margins(Record):
    """Every limit's margins, over the trials that have them."""

    rows: tuple[MarginRow, ...]

    def lines(self) -> list[str]:
        """Format for people."""
        return [
            f"{r.name} {r.limit:g}: missed {format_share(r.missed, r.trials)}, {r.near_misses} by less than 1 %; "
            f"median {r.median:+.6g}, closest pass {_text(r.closest_pass)}, closest miss {_text(r.closest_miss)}"
            for r in self.rows
        ]


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:+.6g}"


def compute_budget_hits(lineage: Lineage) -> BudgetHits:
    """Count trials over a budget; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    return BudgetHits(trials=len(trials), counts={s: sum(t.status is s for t in trials) for s in BUDGETS})


def compute_margins(lineage: Lineage) -> Margins:
    """Compute the margins; raise `UnsupportedError` if no trial has one."""
    by_limit: dict[str, list[Margin]] = {}
    for trial in list_trials(lineage):
        for name, margin in facts.collect_margins(lineage.task, trial).items():
            by_limit.setdefault(name, []).append(margin)
    if not by_limit:
        raise UnsupportedError("no trial has a margin: no limit is known, or nothing was measured")
    return Margins(rows=tuple(_summarize(name, own) for name, own in by_limit.items()))


def _summarize(name: str, own: list[Margin]) -> MarginRow:
    passed = [m.margin for m in own if m.margin >= 0]
    missed = [m.margin for m in own if m.margin < 0]
    limit = own[0].limit
    return MarginRow(
        name=name,
        limit=limit,
        trials=len(own),
        missed=len(missed),
        near_misses=sum(-m < abs(limit) / 100 for m in missed),
        median=median(m.margin for m in own),
        closest_pass=min(passed, default=None),
        closest_miss=max(missed, default=None),
    )
