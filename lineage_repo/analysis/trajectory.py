"""How far a campaign came (the paper's Table 1), and what became of its trials."""

from collections import Counter

from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Level, Trial
from lineage_repo.model.measurement import Number, Record, Status
from lineage_repo.model.objective import Objective
from lineage_repo.record.claims import Claim, Claims
from lineage_repo.record.lineage import Lineage


class Step(Record):
    """One keep."""

    trial: Number
    role: str
    score: float
    gain: Interval | None
    """Over the head before it; positive is better."""
    level: Level | None
    """How well it is proven now."""
    demoted_by: int | None


class Trajectory(Record):
    """From the start to head and anchor.

    `best` is the paper's: the head's score, whose `relative_change` is best / start - 1, so a lower score has a
    negative change. It compares scores of different hours, and takes the luckiest: `head_claim` and `anchor_claim` are
    gains over the start with their intervals, and say what is proven. `keeps` counts trials with status keep, without
    the start. `after_last_keep` counts the trials recorded after the last keep.
    """

    objective: Objective
    start: float
    best: float
    best_trial: Number
    relative_change: float | None
    """None if the start's score is 0."""
    head_claim: Claim
    anchor_claim: Claim
    demotions: int
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
            f"head   {self._claim_text(self.head_claim)}",
            f"anchor {self._claim_text(self.anchor_claim)}; {self.demotions} demotions",
            f"scores {text(self.start)} -> {text(self.best)}{change}, of different hours",
            f"{self.trials} trials, {self.keeps} keeps, {self.after_last_keep} trials after the last keep",
            f"keeps in each hundred of trials: {', '.join(map(str, self.keeps_per_hundred))}",
        ]

    def _claim_text(self, claim: Claim) -> str:
        if claim.gain is None:
            return f"{claim.number:04d}, the start: nothing is gained"
        gain = f"{claim.number:04d}: {self.objective.gain_text(claim.gain)}"
        if claim.gain.low is None:
            return f"{gain} against the start, noise unknown"
        return f"{gain} (95 %) over the start, {claim.level or 'not proven'}"


class StatusCounts(Record):
    """How many trials ended with each status, without the start."""

    trials: int
    counts: dict[Status, int]

    def lines(self) -> list[str]:
        """Format for people."""
        return [f"{status:21} {format_share(n, self.trials)}" for status, n in self.counts.items()]


def compute_trajectory(lineage: Lineage) -> Trajectory:
    """Compute the trajectory; raise `UnsupportedError` without a scored start or without trials."""
    trials, claims = list_trials(lineage), Claims(lineage)
    base, head, anchor = lineage.trials.get(0), lineage.head, lineage.anchor
    if base is None or base.score is None or anchor is None or head is None or head.score is None:
        raise UnsupportedError("the start has no score")
    places = [place for place, trial in enumerate(trials) if trial.status is Status.KEEP]
    hundreds = Counter(place // 100 for place in places)
    return Trajectory(
        objective=lineage.task.objective,
        start=base.score,
        best=head.score,
        best_trial=head.number,
        relative_change=head.score / base.score - 1 if base.score else None,
        head_claim=claims.of(head.number),
        anchor_claim=claims.of(anchor.number),
        demotions=len(lineage.demotions),
        trials=len(trials),
        keeps=len(places),
        after_last_keep=len(trials) - 1 - places[-1] if places else len(trials),
        keeps_per_hundred=tuple(hundreds[i] for i in range((len(trials) + 99) // 100)),
        steps=tuple(_step(trials[place], claims) for place in places),
    )


def _step(trial: Trial, claims: Claims) -> Step:
    claim = claims.of(trial.number)
    return Step(
        trial=trial.number,
        role=trial.proposal.specialist,
        score=trial.score or 0.0,
        gain=trial.verdict.gain,
        level=claim.level,
        demoted_by=claim.demoted_by,
    )


def compute_status_counts(lineage: Lineage) -> StatusCounts:
    """Count the statuses, most frequent first; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    return StatusCounts(trials=len(trials), counts=dict(Counter(t.status for t in trials).most_common()))
