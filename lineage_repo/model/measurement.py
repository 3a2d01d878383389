"""The value types of the record: measurements, faults, margins, and the status of a trial."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from lineage_repo.text.sanitize import Line

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[int, Field(ge=0)]
Bounded = Annotated[float, Field(ge=-1e100, le=1e100)]
"""A value of which means and spreads can still be computed."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Clock = Literal["cpu", "wall"]
Isolation = Literal["none", "bwrap", "bwrap+cgroup"]
LEVELS: tuple[Isolation, ...] = ("none", "bwrap", "bwrap+cgroup")
"""Isolation levels, weakest first: none, a sandbox, a sandbox with limits that the kernel enforces."""
_REL_TOLERANCE = 1e-9
"""C libraries differ in the last digits of `log` and `tan`: about 1e-15, so this leaves ample room."""


def now() -> datetime:
    """Return the time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Record(BaseModel):
    """A frozen value that refuses unknown fields and has one canonical JSON form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical(self) -> bytes:
        """Return the JSON bytes that are committed: indented for `git show`, without nulls, ending in a line break."""
        return self.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"

    def alike(self, other: "Record") -> bool:
        """Return whether both are equal, floats to nine digits."""
        return _alike(self.model_dump(mode="json"), other.model_dump(mode="json"))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_REL_TOLERANCE)
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
        """Whether there is no score because of the recipe, not because of the harness."""
        return not self.measured and self is not Status.HARNESS_ABORT


class PhaseRun(Record):
    """One box, as the harness saw it from outside."""

    phase: Name
    seed_index: int | None = None
    """Index into the trial's seeds; None for a phase that runs once per trial."""
    exit_status: Literal["ok", "crash", "timeout", "not_ready", "memory", "files", "absent", "oversize", "refused"]
    elapsed_s: Bounded
    """Seconds on the campaign's clock, from GO to the death of the box."""
    wall_s: Bounded
    cpu_s: FiniteFloat | None = None
    setup_s: Bounded
    """Wall seconds from launch to READY, which the clock does not count."""
    exit_code: int | None = None
    peak_bytes: int | None = None
    artifact_bytes: int | None = None
    artifact_sha256: str | None = None
    log_bytes: int = 0


class Measurement(Record):
    """What the evaluator and the harness measured of one recipe."""

    trial_seeds: tuple[int, ...]
    """The secret number that the harness drew and all other seeds derive from; one per pooled measurement."""
    box_seeds: tuple[int, ...]
    """The number that each box got; their count is the measurement's number of seeds."""
    metrics: dict[str, tuple[Bounded, ...]]
    """The evaluator's metrics: one value per seed, in the order of `box_seeds`."""
    phases: tuple[PhaseRun, ...]
    source_bytes: int
    clock: Clock
    evaluator_s: FiniteFloat = 0.0
    """Wall seconds of `prepare` and `score` together."""
    loop_cpu_s: tuple[FiniteFloat, ...] = ()
    """CPU seconds of a fixed loop, timed before the first box and after each seed's last: more on a disturbed host."""

    @property
    def n_seeds(self) -> int:
        """Number of boxes' seeds, of a seed that ended in a fault too."""
        return len(self.box_seeds)

    def count_values(self) -> dict[str, int]:
        """Return how many values each metric of the evaluator has."""
        return {name: len(values) for name, values in self.metrics.items()}


def pool_measurements(measurements: Sequence[Measurement]) -> Measurement:
    """Return several measurements of one recipe as one with all their seeds, whose indices run on.

    Where the last one ended in a fault, the metrics have fewer values than there are seeds. A phase that ran once for
    all seeds of a measurement becomes one run per seed of that measurement. Source bytes and clock are the first's.
    """
    first = measurements[0]
    phases: list[PhaseRun] = []
    offset = 0
    for measurement in measurements:
        n_seeds = len(measurement.box_seeds)
        for run in measurement.phases:
            covered = range(n_seeds) if run.seed_index is None else [run.seed_index]
            phases += [run.model_copy(update={"seed_index": index + offset}) for index in covered]
        offset += n_seeds
    return Measurement(
        trial_seeds=tuple(seed for m in measurements for seed in m.trial_seeds),
        box_seeds=tuple(seed for m in measurements for seed in m.box_seeds),
        metrics={name: tuple(v for m in measurements for v in m.metrics.get(name, ())) for name in first.metrics},
        phases=tuple(phases),
        source_bytes=first.source_bytes,
        clock=first.clock,
        evaluator_s=sum(m.evaluator_s for m in measurements),
        loop_cpu_s=tuple(reading for m in measurements for reading in m.loop_cpu_s),
    )


def derive_seed(trial_seed: int, index: int) -> int:
    """Derive a box's seed: 63 bits that reveal neither the trial's seed nor another box's."""
    digest = hashlib.sha256(f"espalier seed {trial_seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


class Margin(Record):
    """How far a trial was from one limit or gate."""

    name: str
    value: FiniteFloat
    limit: FiniteFloat
    margin: FiniteFloat
    """Room that is left, in `unit`; negative where the limit is exceeded or the gate missed."""
    unit: str = ""

    @classmethod
    def below(cls, name: str, value: float, limit: float, unit: str) -> Self:
        """Return the margin of a value that must not exceed `limit`.

        >>> Margin.below("fit time", 1.75, 2.0, "s").text()
        'fit time: 1.75 against 2 s, 0.25 s left'
        """
        return cls(name=name, value=value, limit=limit, margin=limit - value, unit=unit)

    def text(self) -> str:
        """Return one line for people: value, limit, and what is left or missing."""
        exact = ",.0f" if self.unit == "bytes" else ".6g"
        unit = f" {self.unit}" if self.unit else ""
        room = f"{self.margin:{exact}}{unit} left" if self.margin >= 0 else f"missed by {-self.margin:{exact}}{unit}"
        return f"{self.name}: {self.value:{exact}} against {self.limit:{exact}}{unit}, {room}"


class Fault(Record):
    """Why a trial has no complete measurement."""

    status: Status
    failure: Line
    """One line that says why."""
    phase: Name | None = None
    seed_index: int | None = None
    margin: Margin | None = None
    """The limit that was exceeded, where the measurement does not show by how much."""

    @model_validator(mode="after")
    def _no_verdict(self) -> Self:
        if self.status.measured or self.status is Status.DISQUALIFIED:
            raise ValueError(f"{self.status} is a verdict of the judge, never a fault")
        return self


class Spread(Record):
    """How one metric varies over seeds: number of values, mean and sample standard deviation."""

    n: int
    mean: FiniteFloat
    sd: FiniteFloat
