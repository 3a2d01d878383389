"""Measure a recipe: prepare, one fresh box per phase and seed, seal, score."""

import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from lineage_repo.errors import EvaluatorError, SandboxError
from lineage_repo.model.manifest import Phase
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun
from lineage_repo.storage import snapshot
from lineage_repo.task import source_size
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox import gpus
from mcp_server.sandbox.artifact import Sealed, seal
from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.host import interpreter
from mcp_server.sandbox.selftest import SelfTest
from mcp_server.trial import disturbance, faults
from mcp_server.trial.evaluator import Dialogue, EvaluatorProgram
from mcp_server.trial.job import Job, JobResult, JobSpec


class MeasureJob:
    """One measurement in one job folder."""

    def __init__(self, job: Job, spec: JobSpec, tell: Callable[[str], None]) -> None:
        self.job, self.spec, self.task, self._tell = job, spec, spec.task, tell
        self.seeds = tuple(derive(spec.trial_seed, index) for index in range(spec.n_seeds))
        self.runs: list[PhaseRun] = []
        self.fault: Fault | None = None
        self.isolation: dict[str, str] = {"level": "not run"}
        self._tempo: list[float] = []
        self._own_user = False
        self._gpus: tuple[int, ...] = ()
        self._files = source_size.strip_comments(job.files(), packed=self.task.limits.packed)
        self._weight = source_size.source_bytes(self._files, packed=self.task.limits.packed)
        program = job.evaluator / self.task.evaluator.program
        data = spec.task_folder / "data" if self.task.data else None
        self._evaluator = EvaluatorProgram(self.task.evaluator, program, spec.host.evaluator_python, job.log, data)

    def run(self) -> JobResult:
        """Measure; stop at the first fault. `SandboxError` and `EvaluatorError` are the harness's fault."""
        spec, job = self.spec, self.job
        self._tell("testing the sandbox")
        self._test_walls()
        self._tell("preparing data")
        TaskFolder(path=spec.task_folder, task=self.task).stage_evaluator(job.evaluator)
        self._evaluator.prepare(spec.trial_seed, spec.n_seeds, job.public, job.secret)
        with gpus.lease(spec.host, self.task.limits.gpus) as self._gpus:
            self._read_tempo()
            for index, unit in itertools.groupby(self._order(), key=lambda pair: pair[1]):
                for phase in (phase for phase, _ in unit if not self.fault):
                    self._phase(phase, index)
                self._read_tempo()
                if self.fault:
                    break
        metrics: dict[str, tuple[float, ...]] = {}
        if not self.fault and spec.dry_run_s is None:
            self._tell("scoring")
            metrics, self.fault = self._evaluator.score(job.sealed, job.secret, spec.n_seeds)
        measurement = Measurement(
            trial_seeds=(spec.trial_seed,),
            box_seeds=self.seeds,
            metrics=metrics,
            phases=tuple(self.runs),
            source_bytes=self._weight,
            clock=spec.clock,
            evaluator_s=self._evaluator.seconds,
            loop_cpu_s=tuple(self._tempo),
        )
        return JobResult(nonce=spec.nonce, measurement=measurement, fault=self.fault, isolation=self.isolation)

    def _read_tempo(self) -> None:
        if self.task.disturbance.guard != "off":
            self._tempo.append(disturbance.read_loop())

    def _test_walls(self) -> None:
        """Find out what holds here, and raise `SandboxError` below what the campaign requires."""
        if self.spec.isolation == "none":
            self.isolation = {"level": "none"}
            return
        found = SelfTest.run(self.spec.host)
        if problem := found.below(self.spec.isolation):
            raise SandboxError(problem)
        self.isolation = {"level": found.level, "selftest": found.summary}
        self._own_user = found.drops_root

    def _view(self) -> Path:
        """A new folder that boxes may see; its path, which they can read, tells no phase, seed or trial."""
        folder = Path(tempfile.mkdtemp(dir=self.job.boxes.resolve()))
        folder.chmod(0o755)
        return folder

    def _order(self) -> Iterator[tuple[Phase, int | None]]:
        """Phases in the manifest's order; neighbours that run per seed go seed by seed, so that a crash shows early."""
        for per, group in itertools.groupby(self.task.phases, key=lambda p: p.per):
            phases = list(group)
            for index in range(self.spec.n_seeds) if per == "seed" else [None]:
                for phase in phases:
                    yield phase, index

    def _phase(self, phase: Phase, index: int | None) -> None:
        name = phase.name if index is None else f"{phase.name}-{index}"
        self._tell(f"{phase.name}" + ("" if index is None else f", seed {index + 1} of {self.spec.n_seeds}"))
        recipe, data, folders = self._view(), self._view(), (self.job.sealed, self.job.secret)
        snapshot.write_folder(self._files, recipe)
        with ExitStack() as held:
            talk = held.enter_context(self._evaluator.dialogue(phase.name, index, *folders)) if phase.dialogue else None
            spec = self._box(phase, recipe, data, self.seeds[index or 0], talk)
            box = held.enter_context(Box(spec, name))
            self._play(box, phase, index, data, talk)
            sealed = self._seal(box, phase, index)
            self.isolation |= box.isolation()
            if self.isolation["level"] == "bwrap+cgroup" and self.isolation["memory"] != "limited":
                raise SandboxError("this box got no control group, although the self-test had one")
            run = PhaseRun(
                phase=phase.name,
                seed_index=index,
                exit_status=sealed.status if sealed else box.verdict,
                elapsed_s=box.seconds,
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
            self.job.box_logs.mkdir(exist_ok=True)
            (self.job.box_logs / f"{name}.log").write_bytes(log)
        for folder in (recipe, data):
            shutil.rmtree(folder)
        self.runs.append(run)
        self.fault = self._found(phase, run, log, talk)

    def _play(self, box: Box, phase: Phase, index: int | None, data: Path, talk: Dialogue | None) -> None:
        """Run a box from its start to its end; data and the evaluator's ear are there from GO on."""
        if phase.ready_s is not None and not box.wait_ready():
            return
        self._deliver(phase, index, data)
        if talk:
            talk.go()
        if phase.ready_s is None:
            box.release()
        else:
            box.go(self.seeds[index or 0])
        box.wait()

    def _seal(self, box: Box, phase: Phase, index: int | None) -> Sealed | None:
        made = phase.artifact
        if made is None or box.verdict != "ok":
            return None
        return seal(box.out, made.path, made.max_bytes, self._sealed(phase.name, index) / made.path)

    def _found(self, phase: Phase, run: PhaseRun, log: bytes, talk: Dialogue | None) -> Fault | None:
        """What is wrong with a run: a passed limit, then a broken dialogue, then a crash, then too many bytes."""
        spec = self.spec
        if talk and run.exit_status in {"ok", "crash"}:
            if said := self._evaluator.broken_off(self.job.secret, run.seed_index):
                return said.model_copy(update={"phase": phase.name})
            if talk.failed:
                return faults.broken_dialogue(phase, run, spec.n_seeds)
        capped = phase.model_copy(update={"limit_s": self._cap(phase)})
        return faults.classify_run(self.task, capped, run, log, spec.n_seeds, spec.clock) or faults.too_large(
            self.task, phase, self.runs, self._weight, spec.n_seeds
        )

    def _cap(self, phase: Phase) -> float:
        return min(phase.limit_s, self.spec.dry_run_s or phase.limit_s)

    def _box(self, phase: Phase, recipe: Path, data: Path, seed: int, talk: Dialogue | None) -> BoxSpec:
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
            environment={} if phase.ready_s else {"ESPALIER_SEED": str(seed)},
            limit_s=self._cap(phase),
            clock=self.spec.clock,
            ready_s=phase.ready_s,
            memory_bytes=limits.memory_bytes,
            processes=limits.processes,
            scratch_bytes=limits.scratch_bytes,
            scratch_files=limits.scratch_files,
            dialogue=talk.channel if talk else None,
            gpus=self._gpus,
            drops_root=self._own_user,
            walls=self.spec.isolation != "none",
        )

    def _deliver(self, phase: Phase, index: int | None, data: Path) -> None:
        """Make the phase's inputs appear in its /data: hard links, so that nothing is copied under the clock."""
        public = self.job.public / str(index or 0)
        sources = [(public / name, name) for name in phase.inputs]
        for earlier in phase.sealed:
            made = self.task.phase(earlier)
            if made.artifact is None:
                continue
            # A phase that runs once sees every seed's artifact, each in a folder of its own.
            gathers = index is None and made.per == "seed"
            for unit in range(self.spec.n_seeds) if gathers else [index if made.per == "seed" else None]:
                inside = f"{unit}/{made.artifact.path}" if gathers else made.artifact.path
                sources.append((self._sealed(earlier, unit) / made.artifact.path, inside))
        for source, inside in sources:
            (data / inside).parent.mkdir(parents=True, exist_ok=True)
            try:
                _link(source, data / inside)
            except FileNotFoundError:
                raise EvaluatorError(
                    f"`inputs` of phase {phase.name} names {inside}, which prepare did not write to public/{index or 0}"
                ) from None

    def _sealed(self, phase: str, index: int | None) -> Path:
        return self.job.sealed / ("trial" if index is None else str(index)) / phase


def _link(source: Path, target: Path) -> None:
    """A file, or a folder of files, under a second name."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=os.link)
    else:
        os.link(source, target)


def derive(seed: int, index: int) -> int:
    """The seed that a box gets: 63 bits that tell nothing of the trial's seed or of another box's."""
    digest = hashlib.sha256(f"espalier seed {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
