"""The task manifest (`task.toml`): the objective, the phases that measure it, and the limits."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lineage_repo.errors import TaskError
from lineage_repo.model.explain import explain_validation
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import Name, Record
from lineage_repo.model.objective import Gate, JudgeRule, Objective
from lineage_repo.model.upstream import DataNeeds, Upstream, Variant

HARNESS_METRICS = ("seconds", "process_seconds", "artifact_bytes", "source_bytes")
"""The harness measures these, one value per seed. `process_seconds` is wall time and includes work before READY."""

_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200)]


class Limits(Record):
    """What one recipe and one box may use."""

    source_bytes: int = Field(default=1_000_000, gt=0)
    total_bytes: int | None = Field(default=None, gt=0)
    """Source plus counted artifacts of one seed; None for no cap."""
    packed: bool = False
    """Whether the source is counted compressed and without comments; boxes then see it without comments too."""
    memory_bytes: int = Field(default=4_000_000_000, gt=0)
    processes: int = Field(default=64, gt=0)
    scratch_bytes: int = Field(default=256_000_000, gt=0)
    """Size of each of /out, /tmp and /dev/shm in a box."""
    scratch_files: int = Field(default=100_000, gt=0)
    """Files in these three folders together."""
    gpus: int = Field(default=0, ge=0)


class Artifact(Record):
    """The one file that a box leaves."""

    path: _Path
    format: Literal["bytes", "npy", "json", "safetensors"] = "bytes"
    max_bytes: int = Field(gt=0)
    counted: bool = False
    """Whether its bytes count towards `limits.total_bytes`."""


class Phase(Record):
    """One fresh box per seed or per trial: what it runs, sees and leaves."""

    name: Name
    argv: tuple[str, ...] = Field(min_length=1)
    """If its first word is `python`, this host's interpreter for recipes runs it."""
    per: Literal["seed", "trial"] = "seed"
    inputs: tuple[_Path, ...] = ()
    """Files and folders that the evaluator prepared for boxes."""
    sealed: tuple[Name, ...] = ()
    """Earlier phases whose sealed artifacts the box sees."""
    artifact: Artifact | None = None
    """What the box leaves; None for a dialogue, which leaves nothing."""
    dialogue: bool = False
    """Whether the evaluator talks with the running box instead of reading an artifact."""
    limit_s: float = Field(gt=0)
    """Cap on the clock, from GO or, without `ready_s`, from launch."""
    ready_s: float | None = Field(default=None, gt=0)
    """Cap on imports and warm-up before READY, on the same clock; None for a phase whose clock starts at launch."""
    timed: bool = False
    """Whether its time adds to the metric `seconds`."""
    budget: Literal["train", "eval"] = "train"
    """Which overrun status a timeout gives."""

    @property
    def counted(self) -> bool:
        """Whether its artifact counts towards `limits.total_bytes`."""
        return self.artifact is not None and self.artifact.counted

    @model_validator(mode="after")
    def _one_result(self) -> Self:
        if self.dialogue == (self.artifact is not None):
            raise ValueError(f"phase {self.name}: give either an artifact or dialogue = true")
        return self


class Disturbance(Record):
    """What happens if the host is slower than at calibration."""

    guard: Literal["off", "warn", "void"] = "warn"
    """`warn` reports it with the verdict, `void` measures again and at last aborts, `off` does not look."""
    above: float = Field(default=0.15, gt=0)
    """Share by which the fixed loop's CPU time may exceed the calibrated one."""
    patience_s: float = Field(default=300.0, gt=0)
    """Longest wait for a quiet host before a trial is measured again."""


class RecipeFiles(Record):
    """The recipe's folder, and the files in it that agents may edit."""

    path: _Path = "recipe"
    editable: tuple[str, ...] = ("*.py",)
    """Glob patterns, relative to the recipe."""


class Evaluator(Record):
    """The trusted program that prepares data and scores artifacts."""

    path: _Path = "evaluator"
    program: _Path = "evaluate.py"
    shared: tuple[_Path, ...] = ()
    """Files of the built-in `tasks/_shared/` that lie beside the program when it runs, for it to import."""
    metrics: tuple[Name, ...]
    limit_s: float = Field(default=60.0, gt=0)
    """Cap on each verb."""


class Specialist(Record):
    """A role: what one specialist works on."""

    name: Name
    title: str = Field(max_length=80)
    neighbours: tuple[Name, ...] = ()
    model: str | None = None
    caps: Caps | None = None
    scope: str | None = Field(default=None, max_length=1000)
    """What to work on, as the agent reads it."""
    off_limits: str | None = Field(default=None, max_length=1000)
    """What to leave to others, as the agent reads it."""
    surface: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Glob patterns of the files that the role edits; an edit elsewhere is reported, not refused."""
    edit_radius: int | None = Field(default=None, gt=0)
    """Most lines that an edit adds and removes together; a larger edit is reported, not refused."""


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
    """`cpu` needs cgroup accounting, and falls back to `wall`; calibration freezes which one counts."""
    disturbance: Disturbance = Disturbance()
    judge: JudgeRule = JudgeRule()
    hide: tuple[Name, ...] = ()
    """Python packages that no box sees."""
    recipe: RecipeFiles = RecipeFiles()
    evaluator: Evaluator
    phases: tuple[Phase, ...] = ()
    """Empty only for imported lineages, which another harness measured."""
    specialists: tuple[Specialist, ...] = Field(min_length=1)
    upstream: Upstream | None = None
    """Where the start comes from, unless the task has its own `recipe/`; `espalier task prepare` fetches it."""
    data: DataNeeds | None = None
    variants: dict[Name, Variant] = Field(default={})
    variant: Name | None = None
    """The variant that this prepared task is."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        measured = (*HARNESS_METRICS, *self.evaluator.metrics)
        for where, metric in [("objective", self.objective.metric), *(("gates", g.metric) for g in self.gates)]:
            if metric not in measured:
                raise ValueError(
                    f"{where} uses the metric {metric!r}, which nobody measures; measured: {', '.join(measured)}"
                )
        if self.objective.reserved == self.objective.metric:
            raise ValueError("objective.reserved is the objective itself: name a metric that no trial is judged by")
        if self.objective.reserved not in {None, *self.evaluator.metrics}:
            raise ValueError(
                f"objective.reserved names {self.objective.reserved!r}, which evaluator.metrics does not declare"
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
            if unknown := set(specialist.neighbours) - set(names):
                raise ValueError(f"specialist {specialist.name!r} has unknown neighbours {sorted(unknown)}")
        return self

    def phase(self, name: str) -> Phase:
        """Return the phase called `name`."""
        return next(p for p in self.phases if p.name == name)


def parse_manifest(raw: dict[str, Any]) -> Task:
    """Validate a manifest.

    Raises:
        TaskError: one line per problem, with a suggestion for each unknown key.
    """
    try:
        task = Task.model_validate(raw)
    except ValidationError as error:
        raise TaskError(explain_validation(error, Task, "task.toml")) from None
    if not task.phases:
        raise TaskError("phases: a task that is measured here needs at least one [[phases]] table")
    return task
