"""Attempts: hand a recipe to an executor until it is measured, at most twice where the harness is at fault."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from lineage_repo.model.measurement import Clock, Fault, Status
from lineage_repo.model.paths import TrialPaths
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import clear_staged
from lineage_repo.storage.snapshot import Files
from mcp_server.sandbox.host import Host
from mcp_server.trial import disturbance
from mcp_server.trial.executor import Executor
from mcp_server.trial.job import Job, JobResult, JobSpec

ATTEMPTS, UNDISTURBED = 2, 3
"""Most attempts where the harness is at fault, and where the host is disturbed."""
_OVERRUNS = {Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN}
_POLL_S = 0.05


class CancelledError(Exception):
    """The operator ended the trial."""


def measure(
    campaign: Campaign,
    files: Files,
    folder: Path,
    *,
    host: Host,
    executor: Executor,
    clock: Clock,
    tell: Callable[[str], None],
    cancelled: Callable[[], bool] = lambda: False,
    seconds: float | None = None,
    seeds: int | None = None,
    guarded: bool = False,
) -> tuple[JobResult, int]:
    """Measure `files` in job folders below `folder`; return the outcome and the number of attempts.

    A recipe's fault is an outcome; a harness fault is tried once more, with the same seed, so that nobody gains a draw
    by seeing to one. Where `guarded`, and the task says `void`, so is what a disturbed host measured, once it is quiet
    again. Raises `CancelledError`.
    """
    seed = secrets.randbits(63)
    attempt = faults = 0
    while True:
        attempt += 1
        job = Job(TrialPaths(folder).job(attempt).folder)
        spec = JobSpec(
            name=f"{campaign.settings.name}-{folder.name}-{attempt}",
            nonce=secrets.token_hex(16),
            task=campaign.task,
            task_folder=campaign.task_folder.path.resolve(),
            trial_seed=seed,
            n_seeds=seeds or campaign.task.n_seeds,
            clock=clock,
            host=host,
            boxes=campaign.paths.boxes,
            isolation=campaign.settings.isolation,
            dry_run_s=seconds,
        )
        job.stage(spec, files)
        outcome = _run(job, spec, executor, tell, cancelled)
        if outcome.fault and outcome.fault.status is Status.HARNESS_ABORT:
            faults += 1
            if faults == ATTEMPTS:
                return outcome, attempt
        elif not (guarded and (void := _disturbed(campaign, outcome))):
            return outcome, attempt
        elif attempt >= UNDISTURBED:
            return outcome.model_copy(update={"fault": void}), attempt
        else:
            rule = campaign.task.disturbance
            disturbance.wait_for_quiet(
                campaign.lineage.calibrated_loop_s() * (1 + rule.above), rule.patience_s, tell, cancelled
            )


def _disturbed(campaign: Campaign, outcome: JobResult) -> Fault | None:
    """Why a measurement is void, where seconds could have decided it on a host slower than the task allows."""
    rule, measurement = campaign.task.disturbance, outcome.measurement
    if rule.guard != "void" or measurement is None or (outcome.fault and outcome.fault.status not in _OVERRUNS):
        return None
    drift = campaign.lineage.host_slowdown(measurement)
    if drift is None or drift <= rule.above:
        return None
    line = (
        f"the host was {drift:.0%} slower than at calibration in the last of {UNDISTURBED} attempts, {rule.above:.0%} "
        "is allowed: quiet it, or calibrate a new campaign under this load"
    )
    return Fault(status=Status.HARNESS_ABORT, failure=line)


def _run(
    job: Job, spec: JobSpec, executor: Executor, tell: Callable[[str], None], cancelled: Callable[[], bool]
) -> JobResult:
    executor.submit(job)
    told = ""
    try:
        while (state := executor.poll(job)).phase != "ended":
            if cancelled():
                raise CancelledError
            if state.detail != told:
                told = state.detail
                tell(told)
            time.sleep(_POLL_S)
    finally:
        executor.cancel(job)
        clear_staged(job)
    if found := job.read_result(spec.nonce):
        return found
    line = f"{state.detail} without an outcome: see {job.log}"
    return JobResult(
        nonce=spec.nonce,
        measurement=None,
        fault=Fault(status=Status.HARNESS_ABORT, failure=line),
        isolation={"level": "unknown"},
    )
