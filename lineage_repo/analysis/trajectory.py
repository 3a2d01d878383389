"""How far a campaign came (the paper's Table 1), and what became of its trials."""

from collections import Counter

from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.manifest import Objective
from lineage_repo.model.measurement import Number, Record, Status
from lineage_repo.record.lineage import Lineage


class Step(Record):
    """One keep."""

    trial: Number
    role: str
    score: float
    gain: float
    """Against the best before it; positive is better."""


class Trajectory(Record):
    """From the start's score to the best one.

    `relative_change` is best / start - 1, so a lower score has a negative change. `keeps` counts trials with status
    keep, without the start. `after_last_keep` counts the trials recorded after the last keep.
    """

    objective: Objective
    start: float
    best: float
    best_trial: Number
    relative_change: float | None
    """None if the start's score is 0."""
    trials: int
    keeps: int
    after_last_keep: int
    keeps_per_hundred: tuple[int, ...]
    """Keeps among the first hundred trials recorded, the second, and so on."""
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """Format for people."""
        text = self.objective.text
        change = "" if self.relative_change is None else f" ({self.relative_change:+.2%})"
        return [
            f"{text(self.start)} -> {text(self.best)}{change}, trial {self.best_trial:04d}",
            f"{self.trials} trials, {self.keeps} keeps, {self.after_last_keep} trials after the last keep",
            f"keeps in each hundred of trials: {', '.join(map(str, self.keeps_per_hundred))}",
        ]


class StatusCounts(Record):
    """How many trials ended with each status, without the start."""

    trials: int
    counts: dict[Status, int]

    def lines(self) -> list[str]:
        """Format for people."""
        return [f"{status:21} {format_share(n, self.trials)}" for status, n in self.counts.items()]


def compute_trajectory(lineage: Lineage) -> Trajectory:
    """Compute the trajectory; raise `UnsupportedError` without a scored start or without trials."""
    trials = list_trials(lineage)
    base, best, objective = lineage.trials.get(0), lineage.best, lineage.task.objective
    if base is None or base.score is None or best is None or best.score is None:
        raise UnsupportedError("the start has no score")
    steps: list[Step] = []
    hundreds: Counter[int] = Counter()
    reached, after = base.score, 0
    for place, trial in enumerate(trials):
        after += 1
        if trial.status is Status.KEEP and trial.score is not None:
            gain = objective.gain(trial.score, reached)
            steps.append(Step(trial=trial.number, role=trial.proposal.specialist, score=trial.score, gain=gain))
            hundreds[place // 100] += 1
            reached, after = trial.score, 0
    return Trajectory(
        objective=objective,
        start=base.score,
        best=best.score,
        best_trial=best.number,
        relative_change=best.score / base.score - 1 if base.score else None,
        trials=len(trials),
        keeps=len(steps),
        after_last_keep=after,
        keeps_per_hundred=tuple(hundreds[i] for i in range((len(trials) + 99) // 100)),
        steps=tuple(steps),
    )


def compute_status_counts(lineage: Lineage) -> StatusCounts:
    """Count the statuses, most frequent first; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    return StatusCounts(trials=len(trials), counts=dict(Counter(t.status for t in trials).most_common()))
