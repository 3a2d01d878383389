"""The ledger's entries, and the proposal and verdict that they contain."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from lineage_repo.model.comparison import Comparison, Interval, Outcome
from lineage_repo.model.imported import Imported
from lineage_repo.model.measurement import (
    Digest,
    Fault,
    Isolation,
    Margin,
    Measurement,
    Name,
    Number,
    Record,
    Spread,
    Status,
    pool_measurements,
)
from lineage_repo.text.sanitize import Line

SCHEMA_VERSION = 3
NO_RECIPE_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's empty tree: never the tree of a measured recipe, since a snapshot has at least one file."""

Arm = Literal["roles", "generic", "single"]
"""How a search is organised: by the task's roles, by equal agents, or by a single one."""


class Caps(Record):
    """The most that one session may use."""

    turns: int = Field(default=200, ge=1)
    submits: int = Field(default=2, ge=1)
    """Trials that a session may register."""
    usd: FiniteFloat = Field(default=5.0, gt=0)
    tokens: int = Field(default=2_000_000, ge=1)
    minutes: FiniteFloat = Field(default=240.0, gt=0)
    idle_minutes: FiniteFloat = Field(default=20.0, gt=0)
    """Minutes without a message; waiting for a trial, a slot or a dry run does not count as idle time."""


class Proposal(Record):
    """What an agent claims before anything is measured."""

    parent: Number | None = None
    """Number of the trial that the edit starts from; None for the baseline."""
    title: Annotated[Line, Field(min_length=1, max_length=60)]
    hypothesis: Annotated[Line, Field(max_length=2000)]
    expected_delta: FiniteFloat
    """Predicted score minus the parent's score, in the objective's unit."""
    notes: Annotated[Line, Field(max_length=2000)] = ""
    specialist: Name
    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    """Id of the session that submitted it."""
    recipe_tree: Digest
    """Git tree of the recipe; `NO_RECIPE_TREE` for an imported trial that came without one."""


Finding = Literal["better", "promising", "tie", "worse", "hopeless"]
"""What the comparison with the head shows: `better` moves the head; `promising` passed the screen and gained too little
over its blocks; the 95 % interval of a `tie` holds 0, that of `worse` lies below, that of `hopeless` after one seed."""
Level = Literal["observed", "replicated", "certified"]
"""How well a gain is proven: over blocks of its own trial, by a replication, by a certification."""
ProofLevel = Literal["replicated", "certified"]


class Verdict(Record):
    """What the judge makes of one trial; the score and the gain are in the objective's unit."""

    status: Status
    score: FiniteFloat | None = None
    """Mean of the objective over the seeds; None where the status is not a measured one. Scores of other hours or hosts
    do not compare: the gain does."""
    against: Number | None = None
    """The trial that the gain is over: the head when it was measured."""
    gain: Interval | None = None
    finding: Finding | None = None
    failure: Line | None = None
    """One line that says why there is no score."""
    margins: tuple[Margin, ...] = ()


class CampaignEntry(Record):
    """The ledger's root: what is searched and by whom, frozen."""

    kind: Literal["campaign"] = "campaign"
    schema_version: Literal[3] = SCHEMA_VERSION
    name: str
    task: dict[str, Any]
    """The whole manifest, so that a clone judges by the same objective."""
    arm: Arm | Literal["unknown"]
    """`unknown` where an import does not say."""
    read_record: bool = True
    """Whether agents read the record of earlier trials."""
    specialists: tuple[Name, ...]
    caps: Caps | None = None
    """None where an import does not say."""
    isolation: Isolation | Literal["unknown"]
    start_tree: Digest
    """Git tree of the starting recipe."""
    digests: dict[str, str]
    origin: Literal["imported"] | None = None
    """`imported`: another harness made every trial, so this lineage is read-only."""
    at: AwareDatetime


class Calibration(Record):
    """The unmodified start, measured beside itself with shared seeds: its noise, and what a shared seed takes away."""

    kind: Literal["calibration"] = "calibration"
    comparison: Comparison
    isolation: dict[str, str]
    at: AwareDatetime

    @property
    def measurement(self) -> Measurement:
        """One value per seed: the candidate's side."""
        return self.comparison.candidate


class ProofRegistration(Record):
    """A replication or a certification that was registered before its first seed; a certification spends its level."""

    kind: Literal["proof_registration"] = "proof_registration"
    proof: Annotated[int, Field(ge=1)]
    """Counts the proofs of the campaign."""
    level: ProofLevel
    number: Number
    """The trial in question."""
    against: Number
    """What it must beat: the anchor or the start."""
    blocks: tuple[Annotated[int, Field(ge=2)], ...] = Field(min_length=1)
    """Blocks after each of which the gain is looked at."""
    at: AwareDatetime


class Proof(Record):
    """What became of a registered proof."""

    kind: Literal["proof"] = "proof"
    proof: Annotated[int, Field(ge=1)]
    level: ProofLevel
    number: Number
    against: Number
    metric: Name
    """What was compared: the objective's metric, or its reserved one."""
    comparisons: tuple[Comparison, ...] = ()
    outcome: Outcome
    gain: Interval | None = None
    """In the objective's unit, or that of the reserved metric."""
    p: FiniteFloat | None = None
    """One-sided, of a certification: probability of at least this gain if there were only the one that the rule asks
    to exceed."""
    fault: Fault | None = None
    """Why there are no more blocks."""
    failure: Line | None = None
    """Why it was refuted without blocks, refused or aborted."""
    isolation: dict[str, str]
    at: AwareDatetime


class Demotion(Record):
    """The head falls back, because a replication found no gain, or the recipe failed in it."""

    kind: Literal["demotion"] = "demotion"
    number: Number
    """The head that is demoted."""
    head: Number
    """The head from now on: the anchor or, where the head just failed, the one before it."""
    proof: Annotated[int, Field(ge=1)]
    """The replication that caused it."""
    at: AwareDatetime


class Registration(Record):
    """A proposal that was registered before anything ran; its place in the ledger allots the trial's number."""

    kind: Literal["registration"] = "registration"
    number: Number
    proposal: Proposal
    digests: dict[str, str]
    at: AwareDatetime


class Trial(Record):
    """A finished trial: the ledger entry and the trial commit's `trial.json`, byte for byte."""

    kind: Literal["trial"] = "trial"
    schema_version: Literal[3] = SCHEMA_VERSION
    number: Number
    proposal: Proposal
    comparisons: tuple[Comparison, ...] = ()
    """The screen, then the blocks; blocks again where the head had moved. The start's are its calibrations."""
    fault: Fault | None = None
    attempts: Annotated[int, Field(ge=1)] = 1
    head: Number | None = None
    """The head at the moment of judging; None for the start."""
    imported: Imported | None = None
    noise: dict[str, Spread] = Field(default={})
    """The calibrated spread of each metric that the judge used."""
    judge_version: int
    verdict: Verdict
    notices: tuple[Line, ...] = ()
    """Where the edit goes beyond what its role declares."""
    digests: dict[str, str]
    """SHA-256 of `task`, `evaluator`, `knowledge`, `data` where there is some, and the session's `brief`."""
    isolation: dict[str, str]
    registered_at: AwareDatetime
    at: AwareDatetime

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def score(self) -> float | None:
        return self.verdict.score

    @cached_property
    def measurement(self) -> Measurement | None:
        """Every seed of the recipe that this trial measured, as one; None if nothing was."""
        return pool_measurements([c.candidate for c in self.comparisons]) if self.comparisons else None

    def lacks(self, what: str) -> bool:
        """Return whether the trial was imported without `what` (see `Imported.missing`)."""
        return self.imported is not None and what in self.imported.missing

    @property
    def n_seeds(self) -> int:
        """Number of seeds that the score is the mean of; 1 where an import does not say."""
        if self.measurement is not None:
            return self.measurement.n_seeds
        return (self.imported.n_seeds if self.imported else None) or 1


Entry = Annotated[
    CampaignEntry | Calibration | Registration | Trial | ProofRegistration | Proof | Demotion,
    Field(discriminator="kind"),
]
