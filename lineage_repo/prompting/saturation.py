"""Saturation: how much a role, or all roles together, still gain from trials."""

from collections.abc import Iterable

from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Record, Status
from lineage_repo.prompting.queries import evidence
from lineage_repo.record.lineage import Lineage

LAST_KEEPS = 3
"""Keeps whose gains are listed."""


class Saturation(Record):
    """What the trials of one specialist, or of all, have gained."""

    who: str
    """A specialist's name, or `all`."""
    trials: int
    keeps: int
    gains: tuple[Interval, ...]
    """Gains of the last keeps over the head of their moment, newest first, in the objective's unit."""
    since: int
    """Trials since the last keep; all of them if there is none."""


def measure_saturation(lineage: Lineage) -> list[Saturation]:
    """Return the saturation of all trials together, then of each specialist of the roster."""
    trials = [t for t in evidence(lineage) if t.number]
    by_specialist: dict[str, list[Trial]] = {name: [] for name in lineage.roster}
    for trial in trials:
        by_specialist.setdefault(trial.proposal.specialist, []).append(trial)
    return [_summarize("all", trials), *(_summarize(n, own) for n, own in by_specialist.items())]


def _summarize(who: str, trials: list[Trial]) -> Saturation:
    keeps = [i for i, trial in enumerate(trials) if trial.status is Status.KEEP]
    return Saturation(
        who=who,
        trials=len(trials),
        keeps=len(keeps),
        gains=tuple(_gains(trials[i] for i in keeps[: -LAST_KEEPS - 1 : -1])),
        since=len(trials) - 1 - keeps[-1] if keeps else len(trials),
    )


def _gains(keeps: Iterable[Trial]) -> Iterable[Interval]:
    return (trial.verdict.gain for trial in keeps if trial.verdict.gain is not None)
