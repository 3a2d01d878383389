"""One turn: a recipe measured once, under one trial seed: prepare, one fresh box per phase and seed, seal, score."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from lineage_repo.errors import SandboxError
from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, derive_seed
from lineage_repo.progress import report_progress
from lineage_repo.storage import snapshot
from lineage_repo.storage.snapshot import Files
from lineage_repo.task import source_size
from mcp_server.sandbox.artifact import Sealed, seal
from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.host import interpreter
from mcp_server.trial import disturbance, faults
from mcp_server.trial.evaluator import Dialogue, EvaluatorProgram
from mcp_server.trial.inputs import deliver_inputs
from mcp_server.trial.job import Assignment, Job, JobSpec


class Whole(Protocol):
    """What a turn uses of the job that it belongs to."""

    job: Job
    spec: JobSpec
    task: Task
    isolation: dict[str, str]
    """What held the boxes so far; each box adds to it."""
    drops_root: bool
    """Whether boxes run as a user of their own."""


class MeasureTurn:
    """One recipe measured once, under one trial seed."""

    def __init__(self, whole: Whole, place: int, assignment: Assignment, files: Files, gpus: tuple[int, ...]) -> None:
        self.job, self.spec, self.task = whole.job, whole.spec, whole.task
        self.runs: list[PhaseRun] = []
        self.fault: Fault | None = None
        self._whole, self._gpus, self._files = whole, gpus, files
        self._paths = self.job.turn(place)
        self._paths.folder.mkdir(parents=True, exist_ok=True)
        self._trial_seed, self._n_seeds = assignment.trial_seed, assignment.n_seeds
        self._what = f"turn {place + 1} of {len(self.spec.turns)}: " if len(self.spec.turns) > 1 else ""
        self.box_seeds = tuple(derive_seed(assignment.trial_seed, index) for index in range(assignment.n_seeds))
        self._loop_cpu_s: list[float] = []
        self._source_bytes = source_size.source_bytes(self._files, packed=self.task.limits.packed)
        program = self.job.evaluator / self.task.evaluator.program
        data = self.spec.task_folder / "data" if self.task.data else None
        python = self.spec.host.evaluator_python
        self._evaluator = EvaluatorProgram(self.task.evaluator, program, python, self.job.log, data)

    def run(self) -> tuple[Measurement, Fault | None]:
        """Measure every phase and seed, or up to the first fault of the recipe.

        Raises:
            SandboxError, EvaluatorError: as `MeasureJob.run`.
        """
        paths, n_seeds = self._paths, self._n_seeds
        report_progress(f"{self._what}preparing data")
        self._evaluator.prepare(self._trial_seed, n_seeds, paths.public, paths.secret)
        self._read_disturbance()
        for index, unit in itertools.groupby(self._order_phases(), key=lambda pair: pair[1]):
            for phase in (phase for phase, _ in unit if not self.fault):
                self._run_phase(phase, index)
            self._read_disturbance()
            if self.fault:
                break
        metrics: dict[str, tuple[float, ...]] = {}
        if not self.fault and self.spec.dry_run_s is None:
            report_progress(f"{self._what}scoring")
            metrics, self.fault = self._evaluator.score(paths.sealed, paths.secret, n_seeds)
        for hidden in (paths.public, paths.secret):
            shutil.rmtree(hidden)
        measurement = Measurement(
            trial_seeds=(self._trial_seed,),
            box_seeds=self.box_seeds,
            metrics=metrics,
            phases=tuple(self.runs),
            source_bytes=self._source_bytes,
            clock=self.spec.clock,
            evaluator_s=self._evaluator.elapsed_s,
            loop_cpu_s=tuple(self._loop_cpu_s),
        )
        return measurement, self.fault

    def _read_disturbance(self) -> None:
        if self.task.disturbance.guard != "off":
            self._loop_cpu_s.append(disturbance.read_loop())

    def _make_view(self) -> Path:
        """Make a folder that boxes may see. They can read its path, which names no phase, seed or trial."""
        folder = Path(tempfile.mkdtemp(dir=self.job.boxes.resolve()))
        folder.chmod(0o755)
        return folder

    def _order_phases(self) -> Iterator[tuple[Phase, int | None]]:
        """Yield the manifest's phases in order; adjacent per-seed phases run seed by seed, so a crash shows early."""
        for per, group in itertools.groupby(self.task.phases, key=lambda p: p.per):
            phases = list(group)
            for index in range(self._n_seeds) if per == "seed" else [None]:
                for phase in phases:
                    yield phase, index

    def _run_phase(self, phase: Phase, index: int | None) -> None:
        name = phase.name if index is None else f"{phase.name}-{index}"
        seed = f", seed {index + 1} of {self._n_seeds}" if index is not None and self._n_seeds > 1 else ""
        report_progress(f"{self._what}{phase.name}{seed}")
        recipe, data, folders = self._make_view(), self._make_view(), (self._paths.sealed, self._paths.secret)
        snapshot.write_folder(self._files, recipe)
        with ExitStack() as stack:
            talks = self._evaluator.dialogue(phase.name, index, *folders) if phase.dialogue else None
            dialogue = stack.enter_context(talks) if talks else None
            spec = self._box_spec(phase, recipe, data, self.box_seeds[index or 0], dialogue)
            box = stack.enter_context(Box(spec, name))
            self._run_box(box, phase, index, data, dialogue)
            sealed = self._seal(box, phase, index)
            isolation = self._whole.isolation = self._whole.isolation | box.isolation()
            if isolation["level"] == "bwrap+cgroup" and isolation["memory"] != "limited":
                raise SandboxError("this box got no control group, although the self-test had one")
            run = PhaseRun(
                phase=phase.name,
                seed_index=index,
                exit_status=sealed.status if sealed else box.exit_status,
                elapsed_s=box.elapsed_s,
                wall_s=box.wall_s,
                cpu_s=box.cpu_s,
                setup_s=box.setup_s,
                exit_code=box.exit_code,
                peak_bytes=box.peak_bytes,
                log_bytes=box.log.total,
                artifact_bytes=sealed.size if sealed else None,
                artifact_sha256=sealed.sha256 if sealed else None,
            )
            log = box.log.bytes()
            self._paths.box_logs.mkdir(exist_ok=True)
            (self._paths.box_logs / f"{name}.log").write_bytes(log)
        for folder in (recipe, data):
            shutil.rmtree(folder)
        self.runs.append(run)
        self.fault = self._find_fault(phase, run, log, dialogue)

    def _run_box(self, box: Box, phase: Phase, index: int | None, data: Path, dialogue: Dialogue | None) -> None:
        """Run a box from its start to its end; it gets its data, and the evaluator listens, from GO on."""
        if phase.ready_s is not None and not box.wait_ready():
            return
        deliver_inputs(self._paths, self.task, self._n_seeds, phase, index, data)
        if dialogue:
            dialogue.go()
        if phase.ready_s is None:
            box.release()
        else:
            box.go(self.box_seeds[index or 0])
        box.wait()

    def _seal(self, box: Box, phase: Phase, index: int | None) -> Sealed | None:
        artifact = phase.artifact
        if artifact is None or box.exit_status != "ok":
            return None
        target = self._paths.sealed_phase(phase.name, index) / artifact.path
        return seal(box.out, artifact.path, artifact.max_bytes, target)

    def _find_fault(self, phase: Phase, run: PhaseRun, log: bytes, dialogue: Dialogue | None) -> Fault | None:
        """Return a run's fault: a passed limit, a broken dialogue, a crash or too many bytes, in this order."""
        if dialogue and run.exit_status in {"ok", "crash"}:
            if fault := self._evaluator.take_dialogue_fault(self._paths.secret, run.seed_index):
                return fault.model_copy(update={"phase": phase.name})
            if dialogue.failed:
                return faults.broken_dialogue(phase, run, self._n_seeds)
        capped = phase.model_copy(update={"limit_s": self._limit_s(phase)})
        return faults.classify_run(
            self.task, capped, run, log, self._n_seeds, self.spec.clock
        ) or faults.check_total_size(self.task, phase, self.runs, self._source_bytes, self._n_seeds)

    def _limit_s(self, phase: Phase) -> float:
        return min(phase.limit_s, self.spec.dry_run_s or phase.limit_s)

    def _box_spec(self, phase: Phase, recipe: Path, data: Path, box_seed: int, dialogue: Dialogue | None) -> BoxSpec:
        host, limits = self.spec.host, self.task.limits
        python = interpreter(host.recipe_python)
        first, *rest = phase.argv
        return BoxSpec(
            argv=(str(python.executable) if first == "python" else first, *rest),
            recipe=recipe,
            data=data,
            interpreter=python,
            hide=self.task.hide,
            bwrap=host.bwrap,
            environment={} if phase.ready_s else {"ESPALIER_SEED": str(box_seed)},
            limit_s=self._limit_s(phase),
            clock=self.spec.clock,
            ready_s=phase.ready_s,
            memory_bytes=limits.memory_bytes,
            processes=limits.processes,
            scratch_bytes=limits.scratch_bytes,
            scratch_files=limits.scratch_files,
            dialogue=dialogue.channel if dialogue else None,
            gpus=self._gpus,
            drops_root=self._whole.drops_root,
            walls=self.spec.isolation != "none",
        )
