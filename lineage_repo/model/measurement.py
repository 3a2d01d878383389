"""The value types that records are made of: what was measured, and what became of a trial."""

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from lineage_repo.text.sanitize import Line

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Clock = Literal["cpu", "wall"]
Isolation = Literal["none", "bwrap", "bwrap+cgroup"]
LEVELS: tuple[Isolation, ...] = ("none", "bwrap", "bwrap+cgroup")
"""Isolation from nothing to everything: walls, then limits that the kernel counts."""
_DIGITS = 1e-9


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

    def alike(self, other: "Record") -> bool:
        """Whether they are equal but for the last digits of floats, in which C libraries differ."""
        return _alike(self.model_dump(mode="json"), other.model_dump(mode="json"))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_DIGITS)
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return ours.keys() == theirs.keys() and all(_alike(ours[key], theirs[key]) for key in ours)
    if isinstance(one, list) and isinstance(other, list):
        pairs = (cast("list[Any]", one), cast("list[Any]", other))
        return len(pairs[0]) == len(pairs[1]) and all(map(_alike, *pairs))
    return one == other


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


class PhaseRun(Record):
    """One box: what the harness saw from outside."""

    phase: Name
    seed_index: int | None = None
    """Index of the seed; None for a phase that runs once a trial."""
    exit_status: Literal["ok", "crash", "timeout", "not_ready", "memory", "files", "absent", "oversize", "refused"]
    elapsed_s: FiniteFloat
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

    trial_seeds: tuple[int, ...]
    """The secret seed that the harness drew, from which all others derive; one per pooled run."""
    box_seeds: tuple[int, ...]
    """What each box was given."""
    metrics: dict[str, tuple[FiniteFloat, ...]]
    phases: tuple[PhaseRun, ...]
    source_bytes: int
    clock: Clock
    evaluator_s: FiniteFloat = 0.0
    """Wall seconds of `prepare` and `score` together."""
    loop_cpu_s: tuple[FiniteFloat, ...] = ()
    """CPU seconds of a fixed loop before the first box and after each seed's last: more on a disturbed host."""

    def values_per_metric(self) -> dict[str, int]:
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
    failure: Line
    phase: Name | None = None
    seed_index: int | None = None
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
