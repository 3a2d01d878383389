"""Views: pure functions from the lineage to the trials that a reader asks for."""

import re
from collections.abc import Iterable
from typing import Literal

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin, Number, Record, Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.text.sanitize import clip

View = Literal["best", "ancestry", "leaderboard", "recent", "role", "failures", "similar", "trial"]
EXCERPT = 120
_WORD = re.compile(r"[a-z0-9][a-z0-9_.+-]*")
_BEGINNING = 240
"""Characters of a hypothesis that say what it is about; whole ones take a second at 10,000 trials."""
VIEWS: tuple[View, ...] = ("best", "ancestry", "leaderboard", "recent", "role", "failures", "similar", "trial")


class TrialRow(Record):
    """One trial in a table."""

    trial: Number
    status: Status
    score: float | None = None
    delta_vs_best: float | None = None
    delta_vs_parent: float | None = None
    expected_delta: float | None = None
    parent: Number | None = None
    specialist: str
    title: str
    hypothesis: str
    failure: str | None = None
    margins: tuple[Margin, ...] = ()
    """Only where one trial is asked for."""


def trial_row(trial: Trial, reader: str | None = None, *, margins: bool = False) -> TrialRow:
    """The table row of a trial; a reader with another role sees an excerpt of its failure, a recipe's words maybe."""
    proposal, outcome = trial.proposal, trial.verdict
    whole = reader in {None, proposal.specialist} or outcome.failure is None
    failure = outcome.failure if whole else clip(outcome.failure or "", EXCERPT)
    return TrialRow(
        trial=trial.number,
        status=outcome.status,
        score=outcome.score,
        delta_vs_best=outcome.delta_vs_best,
        delta_vs_parent=outcome.delta_vs_parent,
        expected_delta=None if trial.lacks("expected_delta") else proposal.expected_delta,
        parent=proposal.parent,
        specialist=proposal.specialist,
        title=proposal.title,
        hypothesis=proposal.hypothesis,
        failure=failure,
        margins=outcome.margins if margins else (),
    )


def margin_text(task: Task, margin: Margin) -> str:
    """A margin as people read it; the confidence bound of a mean is said to be one."""
    bound = next((gate for gate in task.gates if gate.metric == margin.name and gate.rule == "bound"), None)
    return f"{bound.confidence:.0%} bound of {margin.text()}" if bound else margin.text()


def evidence(lineage: Lineage) -> list[Trial]:
    """Every trial that may be shown to an agent: all but harness aborts, in the order of recording."""
    return [trial for trial in lineage.trials.values() if trial.status is not Status.HARNESS_ABORT]


def ancestry(lineage: Lineage, number: int) -> list[Trial]:
    """A trial and what it was rooted from, up to the baseline, nearest first; harness aborts are no evidence."""
    chain: list[Trial] = []
    at: int | None = number
    while at is not None:
        chain.append(lineage.trial(at))
        # A parent comes earlier; in a record that says otherwise the chain would have no end.
        parent = chain[-1].proposal.parent
        at = parent if parent is None or parent < at else None
    return [trial for trial in chain if trial.status is not Status.HARNESS_ABORT]


def leaderboard(lineage: Lineage) -> list[Trial]:
    """Measured trials, best first; of equal scores the earlier one."""
    task = lineage.task
    scored = [(-task.objective.gain(t.score, 0.0), t.number, t) for t in evidence(lineage) if t.score is not None]
    return [t for *_, t in sorted(scored)]


def recent(lineage: Lineage) -> list[Trial]:
    """Newest first."""
    return evidence(lineage)[::-1]


def role(lineage: Lineage, specialist: str) -> list[Trial]:
    """One specialist's trials, newest first."""
    return [t for t in recent(lineage) if t.proposal.specialist == specialist]


def failures(lineage: Lineage) -> list[Trial]:
    """Trials whose recipe is why there is no score, newest first."""
    return [t for t in recent(lineage) if t.status.failed]


def similar(lineage: Lineage, text: str) -> list[Trial]:
    """Trials by the share of words (Jaccard) that title and hypothesis have in common with `text`, nearest first."""
    wanted = _words(text)
    scored = [(_overlap(wanted, _claim(t)), t) for t in evidence(lineage)]
    return [t for near, t in sorted(scored, key=lambda pair: (-pair[0], -pair[1].number)) if near > 0]


def find_nearest_earlier(lineage: Lineage, trials: Iterable[Trial]) -> list[tuple[float, Trial]]:
    """For each of `trials` the earlier one whose claim begins most like it, with the share of words in common."""
    wanted = [(trial, _claim(trial, _BEGINNING)) for trial in trials]
    nearest = [(0.0, trial) for trial, _ in wanted]
    for earlier in evidence(lineage):
        words = _claim(earlier, _BEGINNING)
        for i, (trial, claimed) in enumerate(wanted):
            if earlier.number < trial.number and (share := _overlap(claimed, words)) >= nearest[i][0]:
                nearest[i] = (share, earlier)
    return nearest


def _claim(trial: Trial, most: int | None = None) -> set[str]:
    """The words of a title and of a hypothesis, or of its first `most` characters."""
    return _words(f"{trial.proposal.title} {trial.proposal.hypothesis[:most]}")


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _overlap(a: set[str], b: set[str]) -> float:
    common = len(a & b)
    return common / (len(a) + len(b) - common) if common else 0.0


def select(
    lineage: Lineage, view: View, *, trial: int | None = None, specialist: str = "", text: str = ""
) -> Iterable[Trial]:
    """The trials of a named view; `trial`, `specialist` and `text` are what that view needs."""
    match view:
        case "best":
            return [lineage.best] if lineage.best else []
        case "ancestry":
            start = trial if trial is not None else (lineage.best.number if lineage.best else 0)
            return ancestry(lineage, start)
        case "leaderboard":
            return leaderboard(lineage)
        case "recent":
            return recent(lineage)
        case "role":
            return role(lineage, specialist)
        case "failures":
            return failures(lineage)
        case "similar":
            return similar(lineage, text)
        case "trial":
            if trial is None:
                raise RecordError("the view trial needs the argument trial: a number")
            return [lineage.trial(trial)]
