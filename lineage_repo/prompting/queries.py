"""Queries: pure functions from a lineage to the trials that a reader asks for."""

import operator
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison, Interval
from lineage_repo.model.ledger import Finding, Level, Trial, Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin, Number, Record, Status
from lineage_repo.model.objective import Objective
from lineage_repo.record.claims import Claims, rank
from lineage_repo.record.lineage import Lineage
from lineage_repo.text.sanitize import clip
from lineage_repo.verdict.judge import find_spreads

View = Literal["head", "ancestry", "leaderboard", "recent", "role", "failures", "similar", "trial"]
EXCERPT = 120
"""Characters that another role sees of a failure."""
_WORD = re.compile(r"[a-z0-9][a-z0-9_.+-]*")
_BEGINNING = 240
"""Characters of a hypothesis that are compared; whole ones take a second at 10,000 trials."""
VIEWS: tuple[View, ...] = ("head", "ancestry", "leaderboard", "recent", "role", "failures", "similar", "trial")


class TrialRow(Record):
    """One trial in a table."""

    trial: Number
    status: Status
    score: float | None = None
    against: Number | None = None
    """The trial that the gain is over: the head when it was measured."""
    gain: Interval | None = None
    """In the objective's unit, more is better, with its 95 % interval."""
    finding: Finding | None = None
    level: Level | None = None
    """How well a keep is proven now."""
    demoted_by: int | None = None
    """The replication that found no gain in it."""
    gain_over_start: Interval | None = None
    rank: int | None = None
    """On the leaderboard; ties share one."""
    expected_delta: float | None = None
    parent: Number | None = None
    specialist: str
    title: str
    hypothesis: str
    failure: str | None = None
    margins: tuple[Margin, ...] = Field(default=(), exclude_if=operator.not_)
    """Only if one trial is asked for; left out of a table, where it would repeat in each row."""


def trial_row(
    trial: Trial, claims: Claims, reader: str | None = None, *, rank: int | None = None, margins: bool = False
) -> TrialRow:
    """Return the table row of a trial.

    Args:
        trial: The trial.
        claims: What the lineage proves now.
        reader: The specialist who reads. Another role's failure is cut to `EXCERPT` characters, since a recipe may have
            printed it; None for a person, who sees all of it.
        rank: Its place on the leaderboard.
        margins: Whether the row has the margins.
    """
    proposal, verdict, claim = trial.proposal, trial.verdict, claims.of(trial.number)
    whole = reader in {None, proposal.specialist} or verdict.failure is None
    failure = verdict.failure if whole else clip(verdict.failure or "", EXCERPT)
    return TrialRow(
        trial=trial.number,
        status=verdict.status,
        score=verdict.score,
        against=verdict.against,
        gain=verdict.gain,
        finding=verdict.finding,
        level=claim.level,
        demoted_by=claim.demoted_by,
        gain_over_start=claim.gain,
        rank=rank,
        expected_delta=None if trial.lacks("expected_delta") else proposal.expected_delta,
        parent=proposal.parent,
        specialist=proposal.specialist,
        title=proposal.title,
        hypothesis=proposal.hypothesis,
        failure=failure,
        margins=verdict.margins if margins else (),
    )


_FINDINGS: dict[Finding, str] = {
    "better": "better than {against}",
    "promising": "promising, not proven to beat {against}",
    "tie": "tie with {against}",
    "worse": "worse than {against}",
    "hopeless": "hopeless against {against} after one seed",
}


def gain_text(objective: Objective, verdict: Verdict) -> str:
    """Return what a verdict says of the gain, with its interval; "" without a gain.

    >>> seconds = Objective(metric="seconds", direction="lower", unit="s", digits=1)
    >>> tie = Interval(mean=0.5, low=-0.5, high=1.5, n=4)
    >>> gain_text(seconds, Verdict(status=Status.DISCARD, against=8, gain=tie, finding="tie"))
    'tie with 0008: +0.5 s, -0.5 to 1.5'
    """
    if verdict.gain is None or verdict.against is None:
        return ""
    found = _FINDINGS[verdict.finding] if verdict.finding else "against {against}"
    if verdict.finding == "better" and verdict.gain.is_tie:
        found = "ahead of {against}, but a tie at 95 %"
    return f"{found.format(against=f'{verdict.against:04d}')}: {objective.gain_text(verdict.gain)}"


def spread_text(task: Task, comparisons: Sequence[Comparison], metric: str | None = None) -> str:
    """Return the spread of both sides over their seeds, which stands beside a gain: a wild recipe wins more by luck."""
    found = find_spreads(task, comparisons, metric)
    if found is None:
        return ""
    ours, theirs = found
    return f"sd {ours.sd:.3g} over {ours.n} seeds, {theirs.sd:.3g} over {theirs.n} of what it is compared with"


def margin_text(task: Task, margin: Margin) -> str:
    """Return a margin as one line for people, which says so if the value is a confidence bound."""
    bound = next((gate for gate in task.gates if gate.metric == margin.name and gate.rule == "bound"), None)
    return f"{bound.confidence:.0%} bound of {margin.text()}" if bound else margin.text()


def evidence(lineage: Lineage) -> list[Trial]:
    """Return every trial that agents may see: all but harness aborts, in the order of recording."""
    return [trial for trial in lineage.trials.values() if trial.status is not Status.HARNESS_ABORT]


def ancestry(lineage: Lineage, number: int) -> list[Trial]:
    """Return a trial and its ancestors up to the baseline, nearest first, without harness aborts."""
    chain: list[Trial] = []
    current: int | None = number
    while current is not None:
        chain.append(lineage.trial(current))
        # A parent has a lower number; in a forged record that says otherwise the chain might never end.
        parent = chain[-1].proposal.parent
        current = parent if parent is None or parent < current else None
    return [trial for trial in chain if trial.status is not Status.HARNESS_ABORT]


def leaderboard(lineage: Lineage) -> list[tuple[int, Trial]]:
    """Return the trials with a score and their rank: by what is proven of them, then by the gain over the start."""
    return rank(Claims(lineage), [trial for trial in evidence(lineage) if trial.score is not None])


def recent(lineage: Lineage) -> list[Trial]:
    """Return every trial that agents may see, newest first."""
    return evidence(lineage)[::-1]


def role(lineage: Lineage, specialist: str) -> list[Trial]:
    """Return one specialist's trials, newest first."""
    return [t for t in recent(lineage) if t.proposal.specialist == specialist]


def failures(lineage: Lineage) -> list[Trial]:
    """Return the trials that have no score because of their recipe, newest first."""
    return [t for t in recent(lineage) if t.status.failed]


def similar(lineage: Lineage, text: str) -> list[Trial]:
    """Return the trials whose title and hypothesis share words with `text`, most similar first, newest of equals first.

    The similarity is the Jaccard index: words in common over all words of both.
    """
    wanted = _split_words(text)
    scored = [(_overlap(wanted, _claimed_words(t)), t) for t in evidence(lineage)]
    return [t for share, t in sorted(scored, key=lambda pair: (-pair[0], -pair[1].number)) if share > 0]


def find_nearest_earlier(lineage: Lineage, trials: Iterable[Trial]) -> list[tuple[float, Trial]]:
    """Return for each of `trials` the most similar earlier one, by title and start of the hypothesis, with the index.

    A trial without any comes with itself and 0.
    """
    wanted = [(trial, _claimed_words(trial, _BEGINNING)) for trial in trials]
    nearest = [(0.0, trial) for trial, _ in wanted]
    for earlier in evidence(lineage):
        words = _claimed_words(earlier, _BEGINNING)
        for i, (trial, own) in enumerate(wanted):
            if earlier.number < trial.number and (share := _overlap(own, words)) >= nearest[i][0]:
                nearest[i] = (share, earlier)
    return nearest


def _claimed_words(trial: Trial, most: int | None = None) -> set[str]:
    """Return the words of a title and of a hypothesis, or of its first `most` characters."""
    return _split_words(f"{trial.proposal.title} {trial.proposal.hypothesis[:most]}")


def _split_words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _overlap(a: set[str], b: set[str]) -> float:
    common = len(a & b)
    return common / (len(a) + len(b) - common) if common else 0.0


def select(
    lineage: Lineage, view: View, *, trial: int | None = None, specialist: str = "", text: str = ""
) -> Iterable[Trial]:
    """Return the trials of a named view.

    Args:
        lineage: What is queried, refreshed.
        view: Its name.
        trial: Number, for `trial` and `ancestry` (None: the head).
        specialist: Name, for `role`.
        text: What to compare with, for `similar`.

    Raises:
        RecordError: there is no such trial, or `trial` is missing.
    """
    match view:
        case "head":
            return [lineage.head] if lineage.head else []
        case "ancestry":
            start = trial if trial is not None else (lineage.head.number if lineage.head else 0)
            return ancestry(lineage, start)
        case "leaderboard":
            return [ranked for _, ranked in leaderboard(lineage)]
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
