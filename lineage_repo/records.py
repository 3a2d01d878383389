"""The frozen value types of the record: what was claimed, what was measured, what was judged."""

import operator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from lineage_repo.text import Line

SCHEMA_VERSION = 1
NO_SNAPSHOT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's empty tree: no recipe of ours can have it, since a snapshot holds at least one file."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Clock = Literal["cpu", "wall"]
Isolation = Literal["none", "bwrap", "bwrap+cgroup"]
LEVELS: tuple[Isolation, ...] = ("none", "bwrap", "bwrap+cgroup")
"""Isolation from nothing to everything: walls, then limits that the kernel counts."""
Arm = Literal["roles", "generic", "single"]
"""How a search is organised."""


def now() -> datetime:
    """The time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Record(BaseModel):
    """A frozen value that refuses unknown fields and writes itself in one canonical form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical(self) -> bytes:
        """The JSON bytes that are committed: indented for `git show`, with a final line break."""
        return self.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"


class Status(StrEnum):
    """What became of a trial."""

    BASELINE = "baseline"
    KEEP = "keep"
    DISCARD = "discard"
    DISQUALIFIED = "disqualified"
    SIZE_BLOCKED = "size_blocked"
    TRAIN_BUDGET_OVERRUN = "train_budget_overrun"
    EVAL_BUDGET_OVERRUN = "eval_budget_overrun"
    CRASH = "crash"
    PREFLIGHT_CRASH = "preflight_crash"
    ILLEGAL = "illegal"
    HARNESS_ABORT = "harness_abort"

    @property
    def measured(self) -> bool:
        """Whether a trial with this status has a score."""
        return self in {Status.BASELINE, Status.KEEP, Status.DISCARD}

    @property
    def failed(self) -> bool:
        """Whether the recipe, not the harness, is why there is no score."""
        return not self.measured and self is not Status.HARNESS_ABORT


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
    snapshot: Digest
    """Git tree of the recipe; `NO_SNAPSHOT` for an imported trial that came without one."""


class PhaseRun(Record):
    """One box: what the harness saw from outside."""

    phase: Name
    seed: int | None = None
    """Index of the seed; None for a phase that runs once a trial."""
    verdict: Literal["ok", "crash", "timeout", "not_ready", "memory", "files", "absent", "oversize", "refused"]
    seconds: FiniteFloat
    """On the campaign's clock, from GO to the death of the box."""
    wall_s: FiniteFloat
    cpu_s: FiniteFloat | None = None
    setup_s: FiniteFloat
    """From launch to READY, outside the clock."""
    exit_code: int | None = None
    peak_bytes: int | None = None
    artifact_bytes: int | None = None
    artifact_sha256: str | None = None
    log_bytes: int = 0


class Measurement(Record):
    """What the evaluator and the harness measured: one value per seed for each metric."""

    drawn: tuple[int, ...]
    """The secret seed that the harness drew, from which all others derive; one per pooled run."""
    seeds: tuple[int, ...]
    """What each box was given."""
    metrics: dict[str, tuple[FiniteFloat, ...]]
    phases: tuple[PhaseRun, ...]
    source_bytes: int
    clock: Clock
    evaluator_s: FiniteFloat = 0.0
    """Wall seconds of `prepare` and `score` together."""
    tempo: tuple[FiniteFloat, ...] = Field(default=(), exclude_if=operator.not_)
    """CPU seconds of a fixed loop before the first box and after each seed's last: more on a disturbed host."""

    def lengths(self) -> dict[str, int]:
        """How many values each metric of the evaluator has."""
        return {name: len(values) for name, values in self.metrics.items()}


class Margin(Record):
    """How far a trial was from one limit or gate; negative means missed."""

    name: str
    value: FiniteFloat
    limit: FiniteFloat
    margin: FiniteFloat
    unit: str = ""

    def text(self) -> str:
        """As people read it: value, limit, and what is left or missing."""
        exact = ",.0f" if self.unit == "bytes" else ".6g"
        unit = f" {self.unit}" if self.unit else ""
        room = f"{self.margin:{exact}}{unit} left" if self.margin >= 0 else f"missed by {-self.margin:{exact}}{unit}"
        return f"{self.name}: {self.value:{exact}} against {self.limit:{exact}}{unit}, {room}"


class Fault(Record):
    """Why a trial has no complete measurement."""

    status: Status
    line: Line
    phase: Name | None = None
    seed: int | None = None
    margin: Margin | None = None
    """The limit that it passed, where the measurement doesn't say by how much."""

    @model_validator(mode="after")
    def _no_verdict(self) -> Self:
        if self.status.measured or self.status is Status.DISQUALIFIED:
            raise ValueError(f"{self.status} is for the judge to say, never a fault")
        return self


class Spread(Record):
    """How one metric varies over seeds of the unmodified start."""

    n: int
    mean: FiniteFloat
    sd: FiniteFloat


class Incumbent(Record):
    """The best trial at the moment of judging."""

    number: Number
    score: FiniteFloat
    seeds: int


class Imported(Record):
    """What another harness recorded of a trial: taken over as it says, neither measured nor judged by us."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """Its name there."""
    domain: Annotated[Line, Field(max_length=60)] = ""
    """The part of the recipe that it touches, as the other harness files it."""
    status: Status
    values: dict[Name, FiniteFloat] = {}
    """Every number recorded there, by its column: also those of a trial without a score."""
    seeds: Annotated[int, Field(ge=1)] | None = None
    """Runs that the numbers are means of; None where it doesn't say."""
    seconds: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """Wall seconds that it held a slot; None where it doesn't say."""
    failure: Line | None = None
    code: Annotated[Line, Field(max_length=200)] = ""
    """Where its code lay there; never brought here."""
    missing: tuple[Name, ...] = ()
    """What a trial of ours has and this one lacks."""
    repairs: tuple[Line, ...] = ()
    """What the import had to change, one line each."""


class Outcome(Record):
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
    schema_version: int = SCHEMA_VERSION
    name: str
    task: dict[str, Any]
    """The manifest, whole, so that a clone judges by the same objective."""
    arm: Arm | Literal["unknown"]
    """`unknown` where an import doesn't say."""
    lineage: bool = Field(default=True, exclude_if=bool)
    """Whether agents read the record; left out where they do, as in ledgers from before there was a choice."""
    specialists: tuple[Name, ...]
    caps: Caps | None = None
    """None where the origin doesn't say."""
    isolation: Isolation | Literal["unknown"]
    start: Digest
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


class Replication(Record):
    """Two recipes of the record measured again, and whether the first beats the second by the task's rule."""

    kind: Literal["replication"] = "replication"
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

    kind: Literal["outcome"] = "outcome"
    schema_version: int = SCHEMA_VERSION
    number: Number
    proposal: Proposal
    measurement: Measurement | None = None
    fault: Fault | None = None
    attempts: Annotated[int, Field(ge=1)] = 1
    incumbent: Incumbent | None = None
    parent_score: FiniteFloat | None = None
    imported: Imported | None = None
    noise: dict[str, Spread] = {}
    judge_version: int
    outcome: Outcome
    notices: tuple[Line, ...] = Field(default=(), exclude_if=operator.not_)
    """Where the edit goes beyond what its role declares; left out where it stays inside."""
    digests: dict[str, str]
    isolation: dict[str, str]
    started: AwareDatetime
    at: AwareDatetime

    @property
    def status(self) -> Status:
        return self.outcome.status

    @property
    def score(self) -> float | None:
        return self.outcome.score

    def lacks(self, what: str) -> bool:
        """Whether it was imported without `what`: `expected_delta`, `session`, `snapshot` or `time`."""
        return self.imported is not None and what in self.imported.missing

    @property
    def seeds(self) -> int:
        """How many runs its score is the mean of; 1 where an import doesn't say."""
        if self.measurement is not None:
            return len(self.measurement.seeds)
        return (self.imported.seeds if self.imported else None) or 1


Entry = Annotated[CampaignEntry | Calibration | Started | Trial | Replication, Field(discriminator="kind")]
