"""Saturation: how much a role, or everybody, still gains from its trials."""

from collections.abc import Iterable

from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Objective
from lineage_repo.model.measurement import Record, Status
from lineage_repo.prompting.queries import evidence
from lineage_repo.record.lineage import Lineage

LAST_KEEPS = 3


class Saturation(Record):
    """What the trials of one specialist, or of all, came to."""

    who: str
    trials: int
    keeps: int
    gains: tuple[float, ...]
    """What the last keeps gained over the best of then, newest first, in the metric's unit."""
    since: int
    """Trials since the last keep; all of them where there is none."""


def measure_saturation(lineage: Lineage) -> list[Saturation]:
    """Everybody together under the name `all`, then each specialist of the roster."""
    trials = [t for t in evidence(lineage) if t.number]
    mine: dict[str, list[Trial]] = {name: [] for name in lineage.roster}
    for trial in trials:
        mine.setdefault(trial.proposal.specialist, []).append(trial)
    objective = lineage.task.objective
    return [_of("all", trials, objective), *(_of(name, found, objective) for name, found in mine.items())]


def _of(who: str, trials: list[Trial], objective: Objective) -> Saturation:
    keeps = [i for i, trial in enumerate(trials) if trial.status is Status.KEEP]
    return Saturation(
        who=who,
        trials=len(trials),
        keeps=len(keeps),
        gains=tuple(_gains((trials[i] for i in keeps[: -LAST_KEEPS - 1 : -1]), objective)),
        since=len(trials) - 1 - keeps[-1] if keeps else len(trials),
    )


def _gains(keeps: Iterable[Trial], objective: Objective) -> Iterable[float]:
    return (objective.gain(t.verdict.delta_vs_best, 0.0) for t in keeps if t.verdict.delta_vs_best is not None)
