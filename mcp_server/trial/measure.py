"""Measure recipes in turn: for each turn prepare, one fresh box per phase and seed, seal, score."""

import time
from datetime import timedelta

from lineage_repo.errors import SandboxError
from lineage_repo.model.measurement import Fault, Status, now
from lineage_repo.progress import report_progress
from lineage_repo.task import source_size
from lineage_repo.task.folder import TaskFolder
from lineage_repo.text.sanitize import clip
from lineage_repo.verdict.judge import find_hopeless_bound
from lineage_repo.verdict.margins import values_per_seed
from mcp_server.sandbox import gpus
from mcp_server.sandbox.host import fingerprint
from mcp_server.sandbox.selftest import SelfTest
from mcp_server.trial.job import REFERENCE_FAILED, Job, JobResult, JobSpec, MeasuredTurn
from mcp_server.trial.turn import MeasureTurn


class MeasureJob:
    """The turns of one job folder."""

    def __init__(self, job: Job, spec: JobSpec) -> None:
        self.job, self.spec, self.task = job, spec, spec.task
        self.isolation: dict[str, str] = {"level": "not run"}
        self.drops_root = False

    def run(self) -> JobResult:
        """Measure every turn, up to the first fault or a first seed that is hopeless, and return the result.

        Raises:
            SandboxError: boxes are isolated by less than the campaign requires, or none can be made.
            EvaluatorError: the evaluator failed. Both are failures of the harness, not of the recipe.
        """
        spec, job = self.spec, self.job
        report_progress("testing the sandbox")
        self._test_sandbox()
        TaskFolder(path=spec.task_folder, task=self.task).stage_evaluator(job.evaluator)
        packed = self.task.limits.packed
        recipes = {t.side: source_size.strip_comments(job.files(t.side), packed=packed) for t in spec.turns}
        turns: list[MeasuredTurn] = []
        fault: Fault | None = None
        # A monotonic clock orders the turns, whatever happens to the host's clock meanwhile.
        started, begun = now(), time.monotonic()
        with gpus.lease(spec.host, self.task.limits.gpus) as leased:
            for place, assignment in enumerate(spec.turns):
                began = started + timedelta(milliseconds=int(1000 * (time.monotonic() - begun)))
                turn = MeasureTurn(self, place, assignment, recipes[assignment.side], leased)
                measurement, fault = turn.run()
                turns.append(MeasuredTurn(side=assignment.side, began=began, measurement=measurement))
                if fault or self._is_hopeless(turns):
                    break
        if fault and turns[-1].side == "reference":
            line = clip(f"{REFERENCE_FAILED}: {fault.failure}", 400)
            turns, fault = turns[:-1], Fault(status=Status.HARNESS_ABORT, failure=line)
        return JobResult(
            nonce=spec.nonce, turns=tuple(turns), fault=fault, isolation=self.isolation, host=fingerprint()
        )

    def _is_hopeless(self, turns: list[MeasuredTurn]) -> bool:
        """Return whether the newest turn is a candidate's first seed, and no second one is worth it."""
        if not self.spec.noise:  # no screen, and a dry run has no scores
            return False
        if [turn.side for turn in turns].count("candidate") != 1 or turns[-1].side != "candidate":
            return False
        objective = self.task.objective
        *beside, value = (values_per_seed(self.task, turn.measurement)[objective.metric][0] for turn in turns)
        bound = find_hopeless_bound(self.task, (*self.spec.window, *beside), self.spec.noise)
        return bound is not None and objective.gain(value, bound) < 0

    def _test_sandbox(self) -> None:
        """Find out what isolates boxes here; raise `SandboxError` below what the campaign requires."""
        if self.spec.isolation == "none":
            self.isolation = {"level": "none"}
            return
        test = SelfTest.run(self.spec.host)
        if problem := test.below(self.spec.isolation):
            raise SandboxError(problem)
        self.isolation = {"level": test.level, "selftest": test.summary}
        self.drops_root = test.drops_root
