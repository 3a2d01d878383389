"""Standing: the head that agents build on and the anchor that is proven, as a fold over what was recorded."""

from typing import NamedTuple, Self

from lineage_repo.model.comparison import Outcome
from lineage_repo.model.ledger import Demotion, Proof, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import JudgeRule


class Standing(NamedTuple):
    """Which recipe is the anchor, and the heads that were observed to beat one another since.

    Each method returns the next standing and changes nothing.
    """

    anchor: int
    """The newest trial that a replication has proven; the start, trial 0, at first."""
    steps: tuple[int, ...] = ()
    """The heads since the anchor, each of which beat the one before in its blocks."""
    tested: int | None = None
    """The newest of these that a replication has left open."""
    earlier: tuple[int, ...] = ()
    """The anchors before this one, the oldest first."""

    @property
    def head(self) -> int:
        """The trial that the next one is compared with."""
        return self.steps[-1] if self.steps else self.anchor

    @property
    def moves(self) -> int:
        """Moves of the head since the newest replication."""
        return len(self.steps) if self.tested is None else len(self.steps) - 1 - self.steps.index(self.tested)

    @property
    def rival(self) -> int | None:
        """What a replication of the head compares it with: the anchor, or the one before where the head is the anchor.

        None where the head is the start.
        """
        return self.anchor if self.steps else next(reversed(self.earlier), None)

    @property
    def is_proven(self) -> bool:
        """Whether the head is the anchor."""
        return not self.steps

    def is_due(self, rule: JudgeRule, *, at_end: bool = False) -> bool:
        """Return whether the head should be replicated now; `at_end` after any move."""
        if rule.rule == "any" and not at_end:
            return False
        return self.moves >= (1 if at_end else rule.replicate_after)

    def move(self, number: int) -> Self:
        """A trial was observed to beat the head."""
        return self._replace(steps=(*self.steps, number))

    def replicate(self, number: int, outcome: Outcome) -> Self:
        """A replication of the head `number`, which may have moved on since, has ended."""
        if number not in self.steps:
            return self
        if outcome is Outcome.PASSED:
            later = self.steps[self.steps.index(number) + 1 :]
            return type(self)(anchor=number, steps=later, earlier=(*self.earlier, self.anchor))
        return self._replace(tested=number) if outcome is Outcome.OPEN else self

    def find_fall(self, number: int, *, failed: bool) -> int | None:
        """Return the head after a replication of `number` that found no gain; None where there is nothing below it.

        The head falls to what it was compared with. A recipe that `failed` says nothing of those before it, so the head
        falls one step.
        """
        if number == self.anchor:
            return next(reversed(self.earlier), None)
        return self.steps[self.steps.index(number) - 1] if failed and number in self.steps[1:] else self.anchor

    def list_fallen(self, head: int) -> tuple[int, ...]:
        """Return the heads that fall where the head becomes `head`."""
        if head in self.steps:
            return self.steps[self.steps.index(head) + 1 :]
        return self.steps if head == self.anchor else (self.anchor, *self.steps)

    def demote(self, head: int) -> Self:
        """The head falls to an earlier one, with whatever was built since."""
        if head in self.steps:
            kept = self.steps[: self.steps.index(head) + 1]
            return self._replace(steps=kept, tested=self.tested if self.tested in kept else None)
        if head == self.anchor:
            return self._replace(steps=(), tested=None)
        return type(self)(anchor=head, earlier=self.earlier[: self.earlier.index(head)] if head in self.earlier else ())


def advance(standing: Standing | None, event: Trial | Proof | Demotion) -> Standing | None:
    """Return the standing after the next trial, proof or demotion of a ledger; None before the baseline."""
    match event:
        case Trial() if event.status is Status.BASELINE or (event.imported and event.status is Status.KEEP):
            return Standing(anchor=event.number)
        case Trial() if standing and event.status is Status.KEEP:
            return standing.move(event.number)
        case Proof() if standing and event.level == "replicated":
            return standing.replicate(event.number, event.outcome)
        case Demotion() if standing:
            return standing.demote(event.head)
        case _:
            return standing
