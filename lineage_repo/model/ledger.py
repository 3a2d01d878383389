"""The frozen records: what was claimed, and the entries of the ledger."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

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
"""Git's empty tree: no recipe of ours can have it, since a snapshot holds at least one file."""

Arm = Literal["roles", "generic", "single"]
"""How a search is organised."""


class Caps(Record):
    """The most that one session may use."""

    turns: int = Field(default=200, ge=1)
    submits: int = Field(default=2, ge=1)
    """Trials that a session may register."""
    usd: float = Field(default=5.0, gt=0)
    tokens: int = Field(default=2_000_000, ge=1)
    minutes: float = Field(default=240.0, gt=0)
    idle_minutes: float = Field(default=20.0, gt=0)
    """Without a message; waiting for a trial, a slot or a dry run is not idleness."""


class Proposal(Record):
    """What was claimed before anything was measured."""

    parent: Number | None = None
    """Number of the trial that it is rooted from; None for the baseline."""
    title: Annotated[Line, Field(min_length=1, max_length=60)]
    hypothesis: Annotated[Line, Field(max_length=2000)]
    expected_delta: FiniteFloat
    """Signed, in the metric's unit, against the parent."""
    notes: Annotated[Line, Field(max_length=2000)] = ""
    specialist: Name
    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    recipe_tree: Digest
    """Git tree of the recipe; `NO_RECIPE_TREE` for an imported trial that came without one."""


class Incumbent(Record):
    """The best trial at the moment of judging."""

    number: Number
    score: FiniteFloat
    n_seeds: int


class Imported(Record):
    """What another harness recorded of a trial: taken over as it says, neither measured nor judged by us."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """Its name there."""
    domain: Annotated[Line, Field(max_length=60)] = ""
    """The part of the recipe that it touches, as the other harness files it."""
    status: Status
    values: dict[Name, FiniteFloat] = Field(default={})
    """Every number recorded there, by its column: also those of a trial without a score."""
    n_seeds: Annotated[int, Field(ge=1)] | None = None
    """Runs that the numbers are means of; None where it doesn't say."""
    slot_s: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """Wall seconds that it held a slot; None where it doesn't say."""
    failure: Line | None = None
    code: Annotated[Line, Field(max_length=200)] = ""
    """Where its code lay there; never brought here."""
    missing: tuple[Name, ...] = ()
    """What a trial of ours has and this one lacks."""
    repairs: tuple[Line, ...] = ()
    """What the import had to change, one line each."""


class Verdict(Record):
    """The verdict and what it rests on."""

    status: Status
    score: FiniteFloat | None = None
    delta_vs_best: FiniteFloat | None = None
    delta_vs_parent: FiniteFloat | None = None
    threshold: FiniteFloat | None = None
    """The gain over the incumbent that a keep had to exceed."""
    failure: Line | None = None
    margins: tuple[Margin, ...] = ()


class CampaignEntry(Record):
    """The ledger's root: what is searched and by whom, frozen."""

    kind: Literal["campaign"] = "campaign"
    schema_version: Literal[2] = SCHEMA_VERSION
    name: str
    task: dict[str, Any]
    """The manifest, whole, so that a clone judges by the same objective."""
    arm: Arm | Literal["unknown"]
    """`unknown` where an import doesn't say."""
    read_record: bool = True
    """Whether agents read the record of earlier trials."""
    specialists: tuple[Name, ...]
    caps: Caps | None = None
    """None where the origin doesn't say."""
    isolation: Isolation | Literal["unknown"]
    start_tree: Digest
    """Git tree of the starting recipe."""
    digests: dict[str, str]
    origin: Literal["imported"] | None = None
    """`imported`: another harness made every trial, so that this lineage is read and never added to."""
    at: AwareDatetime


class Calibration(Record):
    """One measurement of the unmodified start."""

    kind: Literal["calibration"] = "calibration"
    measurement: Measurement
    isolation: dict[str, str]
    host: dict[str, str]
    at: AwareDatetime


class Certification(Record):
    """Two recipes of the record measured again, and whether the first beats the second by the task's rule."""

    kind: Literal["certification"] = "certification"
    number: Number
    against: Number
    measurements: tuple[Measurement, Measurement]
    """Of these two, on fresh seeds, taken in turn."""
    gain: FiniteFloat
    p: FiniteFloat
    """One-sided: the chance that recipes no further apart than the rule asks for differ by this much."""
    failure: Line | None = None
    """Which gate one of them misses."""
    certified: bool
    isolation: dict[str, str]
    at: AwareDatetime


class Started(Record):
    """A hypothesis registered before anything runs; its place in the ledger allots the number."""

    kind: Literal["started"] = "started"
    number: Number
    proposal: Proposal
    digests: dict[str, str]
    at: AwareDatetime


class Trial(Record):
    """A finished trial: the ledger's `outcome` entry and the trial commit's `trial.json`, byte for byte."""

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
    judge_version: int
    verdict: Verdict
    notices: tuple[Line, ...] = ()
    """Where the edit goes beyond what its role declares."""
    digests: dict[str, str]
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
        """Whether it was imported without `what`: `expected_delta`, `session`, `recipe` or `time`."""
        return self.imported is not None and what in self.imported.missing

    @property
    def n_seeds(self) -> int:
        """How many runs its score is the mean of; 1 where an import doesn't say."""
        if self.measurement is not None:
            return len(self.measurement.box_seeds)
        return (self.imported.n_seeds if self.imported else None) or 1


Entry = Annotated[CampaignEntry | Calibration | Started | Trial | Certification, Field(discriminator="kind")]
