"""The task manifest (`task.toml`): the objective, the phases that measure it, and the limits."""

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, ValidationError, model_validator

from lineage_repo.errors import TaskError
from lineage_repo.model.explain import explain_validation
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import Interval, Name, Record
from lineage_repo.model.upstream import DataNeeds, Upstream, Variant

HARNESS_METRICS = ("seconds", "process_seconds", "artifact_bytes", "source_bytes")
"""The harness measures these, one value per seed. `process_seconds` is wall time and includes work before READY."""

_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200)]


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
    replicated_futile_t: tuple[float, ...] = (0.5, 1.0)
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
        if not all(0 < p < 0.5 for p in self.replicated_p):
            raise ValueError(f"each of replicated_p must lie between 0 and 0.5; they are {self.replicated_p}")
        return self


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
