"""Standing: the head that agents build on and the anchor that is proven, as a fold over what was recorded."""

from typing import NamedTuple, Self

from lineage_repo.model.comparison import Outcome
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

    @property
    def head(self) -> int:
        """The trial that the next one is compared with."""
        return self.steps[-1] if self.steps else self.anchor

    @property
    def moves(self) -> int:
        """Moves of the head since the newest replication."""
        return len(self.steps) if self.tested is None else len(self.steps) - 1 - self.steps.index(self.tested)

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
            return type(self)(anchor=number, steps=self.steps[self.steps.index(number) + 1 :])
        return self._replace(tested=number) if outcome is Outcome.OPEN else self

    def demote(self) -> Self:
        """The head falls back to the anchor, with whatever was built between them."""
        return type(self)(anchor=self.anchor)
