"""The value types of comparisons: turns of two recipes, the gain of one over the other, and what a proof shows."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from lineage_repo.model.measurement import Bounded, Digest, Measurement, Number, Record

Side = Literal["candidate", "reference"]


class Turn(Record):
    """One seed of one side of a comparison."""

    side: Side
    began: AwareDatetime
    """By the clock of the host that measured it, so it compares with turns of the same comparison only."""


class Comparison(Record):
    """A recipe measured in turn with a reference, in one slot of one host, one fresh seed each time."""

    against: Number | None = None
    """Trial of the reference; None where the start is measured beside itself."""
    shared_seeds: bool = False
    """Whether both sides of a block took the same trial seed: the same split and order of data."""
    ledger: Digest | None = None
    """Newest ledger entry when it began; what a screen compares with follows from it."""
    window: tuple[Bounded, ...] = ()
    """Earlier values of the reference's objective that a screen also compares with, oldest first."""
    candidate: Measurement
    reference: Measurement | None = None
    """None where a screen measures no seed of the head."""
    turns: tuple[Turn, ...] = Field(min_length=1)
    """In the order in which they were measured; the k-th of a side is seed k of its measurement."""
    host: dict[str, str] = Field(default={})
    """Which host measured it."""

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Of both sides, the candidate first."""
        return (self.candidate,) if self.reference is None else (self.candidate, self.reference)


class Interval(Record):
    """A gain with its two-sided 95 % confidence interval, in the unit of what was compared; positive is better."""

    mean: Bounded
    low: Bounded | None = None
    """None, like `high`, where nothing is known of the noise."""
    high: Bounded | None = None
    n: int
    """Number of blocks, or of the candidate's seeds where nothing was paired."""

    @property
    def is_tie(self) -> bool:
        """Whether the interval holds 0."""
        return self.low is not None and self.high is not None and self.low <= 0 <= self.high


class Outcome(StrEnum):
    """What a proof shows."""

    PASSED = "passed"
    """The gain is real at the level that was asked."""
    OPEN = "open"
    """The gain was too small to tell; nothing changes."""
    REFUTED = "refuted"
    """There was no gain: the head is demoted."""
    REFUSED = "refused"
    """The recipe cannot be proven: it misses a gate, or has no spread of its own; a head is demoted."""
    ABORTED = "aborted"
    """The harness failed or was interrupted; a certification is spent all the same."""
