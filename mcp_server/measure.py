"""Measure a recipe: prepare, one fresh box per phase and seed, seal, score."""

import hashlib
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lineage_repo import snapshot
from lineage_repo.manifest import Phase
from lineage_repo.records import Fault, Measurement, PhaseRun, Status
from lineage_repo.text import clipped
from mcp_server import gpus
from mcp_server.box import Box
from mcp_server.boxlog import last_error
from mcp_server.evaluator import EvaluatorProgram
from mcp_server.host import interpreter
from mcp_server.job import Job, JobOutcome, JobSpec
from mcp_server.launch import SandboxError
from mcp_server.sandbox import BoxSpec
from mcp_server.seal import seal
from mcp_server.selftest import SelfTest

_STATUS = {"absent": Status.CRASH, "oversize": Status.SIZE_BLOCKED, "refused": Status.ILLEGAL}
_OVERRUN = {"train": Status.TRAIN_BUDGET_OVERRUN, "eval": Status.EVAL_BUDGET_OVERRUN}


class Measuring:
    """One measurement in one job folder."""

    def __init__(self, job: Job, spec: JobSpec, tell: Callable[[str], None]) -> None:
        self.job, self.spec, self.task, self._tell = job, spec, spec.task, tell
        self.seeds = tuple(derive(spec.seed, index) for index in range(spec.seeds))
        self.runs: list[PhaseRun] = []
        self.fault: Fault | None = None
        self.isolation: dict[str, str] = {"level": "not run"}
        self._own_user = False
        self._gpus: tuple[int, ...] = ()
        self._files = job.files()

    def run(self) -> JobOutcome:
        """Measure; stop at the first fault. `SandboxError` and `EvaluatorError` are the harness's fault."""
        spec, job = self.spec, self.job
        self._tell("testing the sandbox")
        self._test_walls()
        recipe = self._view()
        snapshot.write_folder(self._files, recipe)
        program = spec.task_folder / self.task.evaluator.path / self.task.evaluator.program
        evaluator = EvaluatorProgram(self.task.evaluator, program, spec.host.evaluator_python, job.log)
        self._tell("preparing data")
        evaluator.prepare(spec.seed, spec.seeds, job.public, job.secret)
        with gpus.leased(spec.host, self.task.limits.gpus) as self._gpus:
            for phase, index in self._order():
                self._phase(phase, index, recipe)
                if self.fault:
                    break
        metrics: dict[str, tuple[float, ...]] = {}
        if not self.fault and spec.seconds is None:
            self._tell("scoring")
            metrics, self.fault = evaluator.score(job.sealed, job.secret, spec.seeds)
        measurement = Measurement(
            drawn=(spec.seed,),
            seeds=self.seeds,
            metrics=metrics,
            phases=tuple(self.runs),
            source_bytes=snapshot.weight(self._files),
            clock=spec.clock,
            evaluator_s=evaluator.seconds,
        )
        return JobOutcome(nonce=spec.nonce, measurement=measurement, fault=self.fault, isolation=self.isolation)

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
            for index in range(self.spec.seeds) if per == "seed" else [None]:
                for phase in phases:
                    yield phase, index

    def _phase(self, phase: Phase, index: int | None, recipe: Path) -> None:
        name = phase.name if index is None else f"{phase.name}-{index}"
        self._tell(f"{phase.name}" + ("" if index is None else f", seed {index + 1} of {self.spec.seeds}"))
        data = self._view()
        seed = self.seeds[index or 0]
        with Box(self._box(phase, recipe, data, seed), name) as box:
            if phase.ready_s is None:
                self._deliver(phase, index, data)
                box.release()
                box.wait()
            elif box.wait_ready():
                self._deliver(phase, index, data)
                box.go(seed)
                box.wait()
            target = self._sealed(phase.name, index) / phase.artifact.path
            sealed = (
                seal(box.out, phase.artifact.path, phase.artifact.max_bytes, target) if box.verdict == "ok" else None
            )
            self.isolation |= box.isolation()
            run = PhaseRun(
                phase=phase.name,
                seed=index,
                verdict=sealed.verdict if sealed else box.verdict,
                seconds=box.seconds,
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
        self.job.logs.mkdir(exist_ok=True)
        (self.job.logs / f"{name}.log").write_bytes(log)
        shutil.rmtree(data)
        self.runs.append(run)
        self.fault = self._fault(phase, run, log) or self._too_large(phase, run)

    def _box(self, phase: Phase, recipe: Path, data: Path, seed: int) -> BoxSpec:
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
            seconds=min(phase.seconds, self.spec.seconds or phase.seconds),
            clock=self.spec.clock,
            ready_s=phase.ready_s,
            memory_bytes=limits.memory_bytes,
            processes=limits.processes,
            scratch_bytes=limits.scratch_bytes,
            scratch_files=limits.scratch_files,
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
            # A phase that runs once sees every seed's artifact, each in a folder of its own.
            gathers = index is None and made.per == "seed"
            for unit in range(self.spec.seeds) if gathers else [index if made.per == "seed" else None]:
                inside = f"{unit}/{made.artifact.path}" if gathers else made.artifact.path
                sources.append((self._sealed(earlier, unit) / made.artifact.path, inside))
        for source, inside in sources:
            (data / inside).parent.mkdir(parents=True, exist_ok=True)
            os.link(source, data / inside)

    def _sealed(self, phase: str, index: int | None) -> Path:
        return self.job.sealed / ("trial" if index is None else str(index)) / phase

    def _fault(self, phase: Phase, run: PhaseRun, log: bytes) -> Fault | None:
        """The failure class and line of a box that did not end well."""
        if run.verdict == "ok":
            return None
        status = _STATUS.get(run.verdict, Status.CRASH)
        cap = phase.artifact.max_bytes
        match run.verdict:
            case "timeout":
                status = _OVERRUN[phase.budget]
                line = f"killed at {run.seconds:.1f} s; the limit is {phase.seconds:g} s ({self.spec.clock} clock)"
            case "not_ready":
                line = "ended without READY" if run.exit_code == 0 else f"did not say READY within {phase.ready_s:g} s"
            case "memory":
                line = f"used more than {self.task.limits.memory_bytes:,} bytes of memory"
            case "files":
                line = f"made more than {self.task.limits.scratch_files:,} files"
            case "absent":
                line = f"left no {phase.artifact.path} in /out"
            case "refused":
                line = f"left something else than a plain file as {phase.artifact.path}"
            case "oversize":
                size = run.artifact_bytes or 0
                line = f"{phase.artifact.path} has {size:,} bytes, {size - cap:,} over the {cap:,}"
            case _:
                line = f"exited {run.exit_code}" + (f": {found}" if (found := last_error(log)) else "")
        return self._named(phase, run, status, line)

    def _too_large(self, phase: Phase, run: PhaseRun) -> Fault | None:
        cap = self.task.limits.total_bytes
        if cap is None or not phase.artifact.counted:
            return None
        counted = {p.name for p in self.task.phases if p.artifact.counted}
        size = snapshot.weight(self._files)
        size += sum(r.artifact_bytes or 0 for r in self.runs if r.phase in counted and r.seed in {run.seed, None})
        if size <= cap:
            return None
        return self._named(
            phase, run, Status.SIZE_BLOCKED, f"source and artifact have {size:,} bytes, {size - cap:,} over the {cap:,}"
        )

    def _named(self, phase: Phase, run: PhaseRun, status: Status, line: str) -> Fault:
        where = phase.name if run.seed is None else f"{phase.name} (seed {run.seed + 1} of {self.spec.seeds})"
        return Fault(status=status, line=clipped(f"{where} {line}", 400), phase=phase.name, seed=run.seed)


def derive(seed: int, index: int) -> int:
    """The seed that a box gets: 63 bits that tell nothing of the trial's seed or of another box's."""
    digest = hashlib.sha256(f"espalier seed {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def elapsed(since: float) -> str:
    """Minutes and seconds since a monotonic moment."""
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}:{seconds:02d}"
