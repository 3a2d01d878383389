"""The ledger's entries, and the proposal and verdict that they contain."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

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
)
from lineage_repo.text.sanitize import Line

SCHEMA_VERSION = 2
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


class Incumbent(Record):
    """The best trial at the moment of judging."""

    number: Number
    score: FiniteFloat
    n_seeds: int


class Verdict(Record):
    """What the judge makes of one trial; scores, deltas and the threshold are in the objective's unit."""

    status: Status
    score: FiniteFloat | None = None
    """Mean of the objective over the seeds; None where the status is not a measured one."""
    delta_vs_best: FiniteFloat | None = None
    """Score minus the incumbent's score."""
    delta_vs_parent: FiniteFloat | None = None
    """Score minus the parent's score."""
    threshold: FiniteFloat | None = None
    """The gain over the incumbent that a keep must exceed."""
    failure: Line | None = None
    """One line that says why there is no score."""
    margins: tuple[Margin, ...] = ()


class CampaignEntry(Record):
    """The ledger's root: what is searched and by whom, frozen."""

    kind: Literal["campaign"] = "campaign"
    schema_version: Literal[2] = SCHEMA_VERSION
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
    """One measurement of the unmodified start."""

    kind: Literal["calibration"] = "calibration"
    measurement: Measurement
    isolation: dict[str, str]
    host: dict[str, str]
    at: AwareDatetime


class Certification(Record):
    """Two recipes of the record, measured again in turn, and whether the first beats the second by the task's rule."""

    kind: Literal["certification"] = "certification"
    number: Number
    against: Number
    measurements: tuple[Measurement, Measurement]
    """Of `number` and of `against`, on fresh seeds."""
    gain: FiniteFloat
    """Measured gain of the first over the second, in the objective's unit; positive is better."""
    p: FiniteFloat
    """One-sided: the probability of at least this gain if the true gain were the one that the rule demands."""
    failure: Line | None = None
    """Which gates were missed."""
    certified: bool
    isolation: dict[str, str]
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
    schema_version: Literal[2] = SCHEMA_VERSION
    number: Number
    proposal: Proposal
    measurement: Measurement | None = None
    fault: Fault | None = None
    attempts: Annotated[int, Field(ge=1)] = 1
    incumbent: Incumbent | None = None
    parent_score: FiniteFloat | None = None
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

    def lacks(self, what: str) -> bool:
        """Return whether the trial was imported without `what` (see `Imported.missing`)."""
        return self.imported is not None and what in self.imported.missing

    @property
    def n_seeds(self) -> int:
        """Number of seeds that the score is the mean of; 1 where an import does not say."""
        if self.measurement is not None:
            return len(self.measurement.box_seeds)
        return (self.imported.n_seeds if self.imported else None) or 1


Entry = Annotated[CampaignEntry | Calibration | Registration | Trial | Certification, Field(discriminator="kind")]
