"""Attempts: hand a recipe to an executor until it is measured, at most twice when the harness fails."""

import itertools
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lineage_repo.model.comparison import Side
from lineage_repo.model.measurement import Fault, Spread, Status
from lineage_repo.model.paths import TrialPaths
from lineage_repo.progress import report_detail
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import clear_staged
from lineage_repo.storage.snapshot import Files
from mcp_server.sandbox.cgroup import choose_clock
from mcp_server.trial import disturbance
from mcp_server.trial.executor import Executor
from mcp_server.trial.job import Assignment, Job, JobResult, JobSpec

_MAX_FAILED, _MAX_DISTURBED = 2, 3
"""Attempts in all when the harness fails, and when the host is disturbed."""
_OVERRUNS = {Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN}
_POLL_S = 0.05


class CancelledError(Exception):
    """The operator ended the trial."""


def draw_turns(sides: Sequence[Side], *, shared_seeds: bool = False) -> tuple[Assignment, ...]:
    """Draw a fresh secret seed for each turn; with `shared_seeds` two turns in a row, a block, take the same one."""
    turns: list[Assignment] = []
    for place, side in enumerate(sides):
        shared = shared_seeds and place % 2 == 1
        turns.append(Assignment(side=side, trial_seed=turns[-1].trial_seed if shared else secrets.randbits(63)))
    return tuple(turns)


def measure(
    campaign: Campaign,
    files: Files,
    folder: Path,
    executor: Executor,
    *,
    n_seeds: int | None = None,
    dry_run_s: float | None = None,
) -> JobResult:
    """Measure one recipe under one fresh secret seed; as `measure_turns` otherwise.

    Args:
        campaign: Gives the task, the clock and the isolation level.
        files: The recipe: bytes by relative path.
        folder: Where the job folders go.
        executor: Runs the jobs.
        n_seeds: How many seeds to measure; the task's number by default.
        dry_run_s: Caps every phase at so many seconds and skips scoring.
    """
    seed = secrets.randbits(63)
    turn = Assignment(side="candidate", trial_seed=seed, n_seeds=n_seeds or campaign.task.n_seeds)
    return measure_turns(campaign, {"candidate": files}, (turn,), folder, executor, dry_run_s=dry_run_s)


def measure_turns(
    campaign: Campaign,
    recipes: Mapping[Side, Files],
    turns: tuple[Assignment, ...],
    folder: Path,
    executor: Executor,
    *,
    window: tuple[float, ...] = (),
    noise: Mapping[str, Spread] | None = None,
    dry_run_s: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    guarded: bool = False,
) -> JobResult:
    """Measure recipes in turn, in one slot of one host, and return the result of the last attempt.

    A recipe's fault is a result. A harness failure is retried once with the same seeds, so provoking one never buys a
    second draw. The clock is the one that calibration froze; before calibration it is the task's, if this host can
    count it. The lineage is read as it was last refreshed.

    Args:
        campaign: Gives the task, the clock and the isolation level.
        recipes: The recipe of each side: bytes by relative path.
        turns: What is measured in which order, under which seeds.
        folder: Where the job folders go: `job-1`, `job-2` and so on, after those that are there.
        executor: Runs the jobs.
        window: Earlier values of the reference's objective, for a screen.
        noise: Calibrated spreads, for a screen, which may then end after the candidate's first seed.
        dry_run_s: Caps every phase at so many seconds and skips scoring.
        cancelled: Asked every 50 ms while the job is queued or runs.
        guarded: If the task's disturbance guard is `void`, also repeat what a disturbed host measured, with the same
            seeds, once the host is quiet again. The third disturbed attempt is a `harness_abort`.

    Raises:
        CancelledError: `cancelled` returned True. The worker and its boxes are dead.
    """
    failed = 0
    lineage = campaign.lineage
    clock = lineage.clock if lineage.calibrations else choose_clock(campaign.task.clock)
    for attempt in itertools.count(1):
        job = _make_job(folder)
        spec = JobSpec(
            name=f"{campaign.settings.name}-{folder.name}-{job.folder.name}",
            nonce=secrets.token_hex(16),
            task=campaign.task,
            task_folder=campaign.task_folder.path.resolve(),
            turns=turns,
            window=window,
            noise=dict(noise or {}),
            clock=clock,
            host=executor.host,
            boxes=campaign.paths.boxes,
            isolation=campaign.settings.isolation,
            dry_run_s=dry_run_s,
        )
        job.stage(spec, recipes)
        result = _run(job, spec, executor, cancelled).model_copy(update={"attempts": attempt})
        if result.fault and result.fault.status is Status.HARNESS_ABORT:
            failed += 1
            # The same seeds would fail the reference again.
            if failed == _MAX_FAILED or result.reference_failed:
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


def _make_job(folder: Path) -> Job:
    """Make the folder of the next job; several may be made at once."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(len(TrialPaths(folder).jobs) + 1):
        job = Job(TrialPaths(folder).job(number).folder)
        try:
            job.folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return job
    raise AssertionError


def _find_disturbance(campaign: Campaign, result: JobResult) -> Fault | None:
    """Return why a result is void: its seconds come from a host that was slower than the task allows."""
    rule, measurement = campaign.task.disturbance, result.whole
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
                report_detail(reported)
            time.sleep(_POLL_S)
    finally:
        executor.cancel(job)
        clear_staged(job)
    return job.read_result(spec.nonce) or JobResult.abort(
        f"{state.detail} without a result: see {job.log}", isolation={"level": "unknown"}
    )
