"""What a campaign improves and how a gain is judged: the manifest's tables `objective`, `gates` and `judge`."""

import itertools
from typing import Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from lineage_repo.model.comparison import Interval
from lineage_repo.model.measurement import Name, Record


class Objective(Record):
    """The number that a campaign improves, and how differences in it count."""

    metric: Name
    direction: Literal["lower", "higher"]
    unit: str = Field(max_length=16)
    digits: int = Field(default=4, ge=0, le=9)
    """Decimals shown to people."""
    min_delta: FiniteFloat = Field(default=0.0, ge=0)
    """Smallest measured gain that moves the head, in `unit`, beside what the judge asks."""
    reserved: Name | None = None
    """Metric of the evaluator on data that no trial is judged by; a certification compares it instead."""

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is; times a value it gives one of which more is better."""
        return -1.0 if self.direction == "lower" else 1.0

    def gain(self, score: float, reference: float) -> float:
        """Return how much better `score` is than `reference`, in `unit`; positive is better.

        >>> Objective(metric="seconds", direction="lower", unit="s").gain(9.5, 10.0)
        0.5
        """
        return reference - score if self.direction == "lower" else score - reference

    def text(self, score: float | None) -> str:
        """Return `score` with its decimals and unit, for people."""
        return "no score" if score is None else f"{score:.{self.digits}f} {self.unit}"

    def gain_text(self, gain: Interval) -> str:
        """Return a gain with its interval, signed so that more is better, for people.

        >>> Objective(metric="seconds", direction="lower", unit="s", digits=2).gain_text(
        ...     Interval(mean=0.5, low=0.25, high=0.75, n=4)
        ... )
        '+0.50 s, 0.25 to 0.75'
        """
        mean = f"{gain.mean:+.{self.digits}f} {self.unit}"
        if gain.low is None or gain.high is None:
            return mean
        return f"{mean}, {gain.low:.{self.digits}f} to {gain.high:.{self.digits}f}"


class Gate(Record):
    """A bound on a metric; a trial that misses it has no score."""

    metric: Name
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    rule: Literal["mean", "bound"] = "bound"
    """`mean`: the mean over the seeds must reach the limit; `bound`: so must its one-sided confidence bound."""
    confidence: float = Field(default=0.99, gt=0.5, lt=1)

    @property
    def limit(self) -> float:
        """The value to reach, from either side."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self


_MOST_FUTILE = 3.0
_MOST_LEVEL = 0.1


class JudgeRule(Record):
    """How a trial's gain is judged, in stages that cost more the further a recipe gets.

    Screen: a few seeds against the head's last ones. Observed: blocks against the head; a pass moves the head.
    Replicated: the head against the anchor, in groups of blocks; a pass moves the anchor. Certified: the anchor against
    the start, in a fixed number of blocks. A block measures both recipes once, in turn, on one host.
    """

    rule: Literal["paired", "any"] = "paired"
    """`any`: a higher mean over `n_seeds` seeds moves the head, with no test; to repeat the paper's arms."""
    screen_seeds: int = Field(default=2, ge=1, le=16)
    """Seeds of the candidate in a screen."""
    head_every: int = Field(default=4, ge=1, le=64)
    """Every how many trials a screen measures one seed of the head too."""
    head_window: int = Field(default=9, ge=1, le=64)
    """The head's last seeds, of screens as head and of any block, with whose mean a screen compares."""
    screen_z: float = Field(default=0.8, ge=-8, le=8)
    """Standard errors by which the candidate's mean must beat the head's to pass the screen."""
    hopeless_z: float = Field(default=0.0, ge=0, le=8)
    """Standard errors below the head's mean at which a first seed ends the screen."""
    blocks: int = Field(default=4, ge=2, le=64)
    """Blocks of an observed trial."""
    observed_confidence: float = Field(default=0.7, gt=0.5, lt=1)
    """One-sided confidence at which the gain over these blocks moves the head."""
    replicate_after: int = Field(default=4, ge=1, le=64)
    """Moves of the head after which it is replicated."""
    replicated_blocks: tuple[int, ...] = Field(default=(4, 8, 16), min_length=1, max_length=8)
    """Blocks after which a replication looks at its gain."""
    replicated_p: tuple[float, ...] = Field(default=(0.0025, 0.0025, 0.005), min_length=1, max_length=8)
    """One-sided level spent at each of these looks."""
    replicated_futile_t: tuple[FiniteFloat, ...] = (0.5, 1.0)
    """Value of t below which a replication stops at each look but the last."""
    proof_share: float = Field(default=0.5, gt=0, le=1)
    """Most of the host's slots that a replication takes at once, at least one."""
    certified_blocks: int = Field(default=12, ge=4, le=64)
    """Blocks of a certification."""
    certified_p: float = Field(default=0.01, gt=0, lt=0.5)
    """One-sided level of all certifications together; the k-th one has 1 / (k (k + 1)) of it."""
    certified_gain: float = Field(default=0.0, ge=0)
    """The true gain over the start that a certification must show to be exceeded, in the objective's unit."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        looks = self.replicated_blocks
        if looks[0] < 2 or any(a >= b for a, b in itertools.pairwise(looks)) or looks[-1] > 256:
            raise ValueError(f"replicated_blocks must rise, from 2 at least to 256 at most; they are {looks}")
        if len(self.replicated_p) != len(looks) or len(self.replicated_futile_t) != len(looks) - 1:
            raise ValueError(
                f"{len(looks)} replicated_blocks need {len(looks)} replicated_p and {len(looks) - 1} "
                f"replicated_futile_t, not {len(self.replicated_p)} and {len(self.replicated_futile_t)}"
            )
        if any(t > _MOST_FUTILE for t in self.replicated_futile_t):
            raise ValueError(
                f"replicated_futile_t above {_MOST_FUTILE:g} stops replications of real gains; they are "
                f"{self.replicated_futile_t}"
            )
        if sum(self.replicated_p) > _MOST_LEVEL or self.certified_p > _MOST_LEVEL:
            raise ValueError(
                f"replicated_p ({sum(self.replicated_p):g} together) and certified_p ({self.certified_p:g}) must be "
                f"{_MOST_LEVEL:g} at most: what passes at a higher level is proven of nothing"
            )
        if not all(0 < p < 0.5 for p in self.replicated_p):
            raise ValueError(f"each of replicated_p must lie between 0 and 0.5; they are {self.replicated_p}")
        return self
