"""Attempts: hand a recipe to an executor until it is measured, at most twice when the harness fails."""

import itertools
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from lineage_repo.errors import CampaignError
from lineage_repo.model.measurement import Fault, Measurement, Status
from lineage_repo.model.paths import TrialPaths
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.storage.files import clear_staged
from lineage_repo.storage.snapshot import Files
from mcp_server.sandbox.cgroup import choose_clock
from mcp_server.trial import disturbance
from mcp_server.trial.executor import Executor
from mcp_server.trial.job import Job, JobResult, JobSpec

_MAX_FAILED, _MAX_DISTURBED = 2, 3
"""Attempts in all when the harness fails, and when the host is disturbed."""
_OVERRUNS = {Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN}
_POLL_S = 0.05


class CancelledError(Exception):
    """The operator ended the trial."""


def measure(
    campaign: Campaign,
    files: Files,
    folder: Path,
    executor: Executor,
    *,
    n_seeds: int | None = None,
    dry_run_s: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    guarded: bool = False,
) -> JobResult:
    """Measure a recipe under a fresh secret seed and return the result of the last attempt.

    A recipe's fault is a result. A harness failure is retried once with the same seed, so provoking one never buys a
    second draw. The clock is the one that calibration froze; before calibration it is the task's, if this host can
    count it. The lineage is read as it was last refreshed.

    Args:
        campaign: Gives the task, the clock and the isolation level.
        files: The recipe: bytes by relative path.
        folder: Where the job folders go: `job-1`, `job-2` and so on. It is made if it is missing.
        executor: Runs the jobs.
        n_seeds: How many seeds to measure; the task's number by default.
        dry_run_s: Caps every phase at so many seconds and skips scoring.
        cancelled: Asked every 50 ms while the job is queued or runs.
        guarded: If the task's disturbance guard is `void`, also repeat what a disturbed host measured, with the same
            seed, once the host is quiet again. The third disturbed attempt is a `harness_abort`.

    Raises:
        CancelledError: `cancelled` returned True. The worker and its boxes are dead.
    """
    trial_seed, failed = secrets.randbits(63), 0
    lineage = campaign.lineage
    clock = lineage.clock if lineage.calibrations else choose_clock(campaign.task.clock)
    for attempt in itertools.count(1):
        job = Job(TrialPaths(folder).job(attempt).folder)
        spec = JobSpec(
            name=f"{campaign.settings.name}-{folder.name}-{attempt}",
            nonce=secrets.token_hex(16),
            task=campaign.task,
            task_folder=campaign.task_folder.path.resolve(),
            trial_seed=trial_seed,
            n_seeds=n_seeds or campaign.task.n_seeds,
            clock=clock,
            host=executor.host,
            boxes=campaign.paths.boxes,
            isolation=campaign.settings.isolation,
            dry_run_s=dry_run_s,
        )
        job.stage(spec, files)
        result = _run(job, spec, executor, cancelled).model_copy(update={"attempts": attempt})
        if result.fault and result.fault.status is Status.HARNESS_ABORT:
            failed += 1
            if failed == _MAX_FAILED:
                return result
        elif not (guarded and (disturbed := _find_disturbance(campaign, result))):
            return result
        elif attempt >= _MAX_DISTURBED:
            return result.model_copy(update={"fault": disturbed})
        else:
            rule = campaign.task.disturbance
            most = campaign.lineage.calibrated_loop_s() * (1 + rule.above)
            disturbance.wait_for_quiet(most, rule.patience_s, cancelled)
    raise AssertionError


def measure_again(
    campaign: Campaign,
    files: Files,
    executor: Executor,
    *,
    kind: locks.ScratchKind,
    subject: str,
    n_seeds: int | None = None,
    guarded: bool = False,
) -> tuple[Measurement, dict[str, str]]:
    """Measure a recipe that is known to run, outside any trial; return the measurement and what isolated its boxes.

    The other arguments are those of `measure`; `subject` names the recipe in the error.

    Raises:
        CampaignError: there is no complete measurement. The message gives the reason and the folder with the logs.
    """
    with locks.scratch_folder(campaign.paths.trials, kind) as scratch:
        result = measure(campaign, files, scratch, executor, n_seeds=n_seeds, guarded=guarded)
        if result.fault or result.measurement is None:
            raise CampaignError(f"{subject} could not be measured: {result.failure}; its logs are in {scratch}")
    return result.measurement, result.isolation


def _find_disturbance(campaign: Campaign, result: JobResult) -> Fault | None:
    """Return why a result is void: its seconds come from a host that was slower than the task allows."""
    rule, measurement = campaign.task.disturbance, result.measurement
    if rule.guard != "void" or measurement is None or (result.fault and result.fault.status not in _OVERRUNS):
        return None
    slowdown = campaign.lineage.host_slowdown(measurement)
    if slowdown is None or slowdown <= rule.above:
        return None
    line = (
        f"the host was {slowdown:.0%} slower than at calibration in the last of {_MAX_DISTURBED} attempts, "
        f"{rule.above:.0%} is allowed: quiet it, or calibrate a new campaign under this load"
    )
    return Fault(status=Status.HARNESS_ABORT, failure=line)


def _run(job: Job, spec: JobSpec, executor: Executor, cancelled: Callable[[], bool]) -> JobResult:
    executor.submit(job)
    reported = ""
    try:
        while (state := executor.poll(job)).phase != "ended":
            if cancelled():
                raise CancelledError
            if state.detail != reported:
                reported = state.detail
                report_progress(reported)
            time.sleep(_POLL_S)
    finally:
        executor.cancel(job)
        clear_staged(job)
    return job.read_result(spec.nonce) or JobResult.abort(
        f"{state.detail} without a result: see {job.log}", isolation={"level": "unknown"}
    )
