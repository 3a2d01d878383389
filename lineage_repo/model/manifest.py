"""The task manifest: what is measured, by which phases, within which limits."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, ValidationError, model_validator

from lineage_repo.errors import TaskError
from lineage_repo.model.explain import explain_validation
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import Name, Record
from lineage_repo.model.upstream import DataNeeds, Upstream, Variant

HARNESS_METRICS = ("seconds", "process_seconds", "artifact_bytes", "source_bytes")
"""Measured by the harness itself, one value per seed; `process_seconds`: on the wall, with what comes before READY."""

_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200)]


MIN_CERTIFICATION_SEEDS = 3
"""Fresh seeds that a certification needs: from two each, luck makes a difference of any size too often."""


class Objective(Record):
    """The number that a campaign improves."""

    metric: Name
    direction: Literal["lower", "higher"]
    unit: str = Field(max_length=16)
    digits: int = Field(default=4, ge=0, le=9)
    """Decimals shown to people."""
    min_delta: FiniteFloat | None = Field(default=None, ge=0)
    """Smallest improvement that counts; None derives it from the calibrated noise."""

    def gain(self, score: float, reference: float) -> float:
        """How much better `score` is than `reference`; positive is better."""
        return reference - score if self.direction == "lower" else score - reference

    def text(self, score: float | None) -> str:
        """`score` with its unit, as people read it."""
        return "no score" if score is None else f"{score:.{self.digits}f} {self.unit}"


class Gate(Record):
    """A metric that a trial must reach to have a score at all."""

    metric: Name
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    rule: Literal["mean", "bound"] = "bound"
    """`bound`: the confidence bound of the mean must clear the gate, not the mean alone."""
    confidence: float = Field(default=0.99, gt=0.5, lt=1)

    @property
    def limit(self) -> float:
        """The value to reach, whichever side of it is good."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self


class Limits(Record):
    """What one box and one recipe may use."""

    source_bytes: int = Field(default=1_000_000, gt=0)
    total_bytes: int | None = Field(default=None, gt=0)
    """Source plus counted artifacts of one seed; None for no cap."""
    packed: bool = False
    """Whether the source is weighed without comments and compressed, and runs without them."""
    memory_bytes: int = Field(default=4_000_000_000, gt=0)
    processes: int = Field(default=64, gt=0)
    scratch_bytes: int = Field(default=256_000_000, gt=0)
    """Size of each of /out, /tmp and /dev/shm in a box."""
    scratch_files: int = Field(default=100_000, gt=0)
    """Files in these three together."""
    gpus: int = Field(default=0, ge=0)


class Artifact(Record):
    """The one file that leaves a box."""

    path: _Path
    format: Literal["bytes", "npy", "json", "safetensors"] = "bytes"
    max_bytes: int = Field(gt=0)
    counted: bool = False
    """Whether its bytes count towards `limits.total_bytes`."""


class Phase(Record):
    """One fresh box per seed (or per trial): argv, what it sees, what it leaves."""

    name: Name
    argv: tuple[str, ...] = Field(min_length=1)
    """`python` as its first word means the recipe interpreter of this host."""
    per: Literal["seed", "trial"] = "seed"
    inputs: tuple[_Path, ...] = ()
    """Public files that the evaluator prepared, and folders of them."""
    sealed: tuple[Name, ...] = ()
    """Earlier phases whose sealed artifacts it sees."""
    artifact: Artifact | None = None
    """What it leaves; None for a dialogue, which leaves nothing."""
    dialogue: bool = False
    """Whether the evaluator talks with the box while it runs, instead of reading what it left."""
    limit_s: float = Field(gt=0)
    """Cap on the clock."""
    ready_s: float | None = Field(default=None, gt=0)
    """Cap on imports and warm-up before READY, on the same clock; None for a phase whose clock starts at launch."""
    timed: bool = False
    """Whether its seconds add to the metric `seconds`."""
    budget: Literal["train", "eval"] = "train"
    """Which overrun a timeout is."""

    @property
    def counted(self) -> bool:
        """Whether what it leaves counts towards `limits.total_bytes`."""
        return self.artifact is not None and self.artifact.counted

    @model_validator(mode="after")
    def _one_result(self) -> Self:
        if self.dialogue == (self.artifact is not None):
            raise ValueError(f"phase {self.name}: give either an artifact or dialogue = true")
        return self


class Disturbance(Record):
    """What is done about a host that is slower than it was at calibration."""

    guard: Literal["off", "warn", "void"] = "warn"
    """`warn` tells of it beside the verdict, `void` measures again and ends as `harness_abort`; `off`: not read."""
    above: float = Field(default=0.15, gt=0)
    """Share by which a trial's tempo may exceed the calibrated one."""
    patience_s: float = Field(default=300.0, gt=0)
    """Longest wait for a quiet host before it is measured again."""


class CertificationRule(Record):
    """When one recipe is said to beat another: both measured again, on fresh seeds, in turn."""

    gain: float = Field(default=0.0, ge=0)
    """Least true gain, in the objective's unit."""
    p: float = Field(default=0.01, gt=0, lt=0.5)
    """One-sided: what the chance of such a difference between equal recipes must stay below."""
    n_seeds: int = Field(default=MIN_CERTIFICATION_SEEDS, ge=MIN_CERTIFICATION_SEEDS, le=64)
    """Fresh seeds of each of the two."""


class RecipeFiles(Record):
    """The editable surface."""

    path: _Path = "recipe"
    editable: tuple[str, ...] = ("*.py",)
    """Glob patterns, relative to the recipe."""


class Evaluator(Record):
    """The trusted program with the verbs `prepare` and `score`."""

    path: _Path = "evaluator"
    program: _Path = "evaluate.py"
    shared: tuple[_Path, ...] = ()
    """Files of the built-in `tasks/_shared/` that the program finds beside it and may import."""
    metrics: tuple[Name, ...]
    limit_s: float = Field(default=60.0, gt=0)
    """Cap on each verb."""


class Specialist(Record):
    """A role."""

    name: Name
    title: str = Field(max_length=80)
    neighbours: tuple[Name, ...] = ()
    model: str | None = None
    caps: Caps | None = None
    scope: str | None = Field(default=None, max_length=1000)
    """What the role is to work on, as its agent reads it."""
    off_limits: str | None = Field(default=None, max_length=1000)
    """What it is to leave to others."""
    surface: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Glob patterns of the files that it is meant to edit; an edit elsewhere is reported, not refused."""
    edit_radius: int | None = Field(default=None, gt=0)
    """Most lines that an edit is meant to add and remove together; a larger one is reported, not refused."""


class Task(Record):
    """A measured environment: `task.toml`."""

    name: Name
    title: str = Field(max_length=80)
    summary: str = Field(max_length=400)
    objective: Objective
    gates: tuple[Gate, ...] = ()
    limits: Limits = Limits()
    n_seeds: int = Field(default=3, ge=1, le=64)
    clock: Literal["cpu", "wall"] = "wall"
    """`cpu` needs cgroup accounting and falls back to wall; calibration freezes which."""
    disturbance: Disturbance = Disturbance()
    certification: CertificationRule = CertificationRule()
    hide: tuple[Name, ...] = ()
    """Python packages that no box sees."""
    recipe: RecipeFiles = RecipeFiles()
    evaluator: Evaluator
    phases: tuple[Phase, ...] = ()
    """Empty only for trials that another harness measured."""
    specialists: tuple[Specialist, ...] = Field(min_length=1)
    upstream: Upstream | None = None
    """Where the start comes from, if not from a `recipe/` of ours: `espalier task prepare` makes it."""
    data: DataNeeds | None = None
    variants: dict[Name, Variant] = Field(default={})
    variant: Name | None = None
    """Which of them this is."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        measured = (*HARNESS_METRICS, *self.evaluator.metrics)
        for where, metric in [("objective", self.objective.metric), *(("gates", g.metric) for g in self.gates)]:
            if metric not in measured:
                raise ValueError(
                    f"{where} uses the metric {metric!r}, which nobody measures; measured: {', '.join(measured)}"
                )
        if clash := set(HARNESS_METRICS) & set(self.evaluator.metrics):
            raise ValueError(f"evaluator.metrics claims {sorted(clash)}, which the harness measures itself")
        if self.objective.metric == "seconds" and self.phases and not any(p.timed for p in self.phases):
            raise ValueError(
                "the objective is seconds, but no phase is timed: set timed = true on the phases that count"
            )
        seen: list[str] = []
        for phase in self.phases:
            if unknown := [s for s in phase.sealed if s not in seen]:
                raise ValueError(
                    f"phase {phase.name!r} sees sealed artifacts of {unknown}, which no earlier phase makes"
                )
            if phase.name in seen:
                raise ValueError(f"phase {phase.name!r} is declared twice")
            seen.append(phase.name)
        names = [s.name for s in self.specialists]
        if len(set(names)) < len(names):
            raise ValueError(f"specialist names repeat: {names}")
        for specialist in self.specialists:
            if lost := set(specialist.neighbours) - set(names):
                raise ValueError(f"specialist {specialist.name!r} has unknown neighbours {sorted(lost)}")
        return self

    def phase(self, name: str) -> Phase:
        """The phase called `name`."""
        return next(p for p in self.phases if p.name == name)


def parse_manifest(raw: dict[str, Any]) -> Task:
    """Validate a manifest; raise `TaskError` with one line per problem, with a suggestion for unknown keys."""
    try:
        task = Task.model_validate(raw)
    except ValidationError as error:
        raise TaskError(explain_validation(error, Task, "task.toml")) from None
    if not task.phases:
        raise TaskError("phases: a task that is measured here needs at least one [[phases]] table")
    return task
