"""Attempts: hand a recipe to an executor until it is measured, at most twice where the harness is at fault."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from lineage_repo.campaign import Campaign, clear_scratch
from lineage_repo.records import Clock, Fault, Status
from lineage_repo.snapshot import Files
from mcp_server.executor import Executor
from mcp_server.host import Host
from mcp_server.job import Job, JobOutcome, JobSpec

ATTEMPTS = 2
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
) -> tuple[JobOutcome, int]:
    """Measure `files` in job folders below `folder`; return the outcome and the number of attempts.

    A recipe's fault is an outcome; a harness fault is tried once more, with the same seed, so that nobody gains a draw
    by seeing to one. Raises `CancelledError`.
    """
    seed = secrets.randbits(63)
    outcome = JobOutcome(nonce="", measurement=None, fault=None, isolation={"level": "unknown"})
    for attempt in range(1, ATTEMPTS + 1):
        job = Job(folder / f"job-{attempt}")
        spec = JobSpec(
            name=f"{campaign.settings.name}-{folder.name}-{attempt}",
            nonce=secrets.token_hex(16),
            task=campaign.task,
            task_folder=campaign.task_folder.path.resolve(),
            seed=seed,
            seeds=seeds or campaign.task.seeds,
            clock=clock,
            host=host,
            boxes=campaign.boxes,
            isolation=campaign.settings.isolation,
            seconds=seconds,
        )
        job.stage(spec, files)
        outcome = _run(job, spec, executor, tell, cancelled)
        if outcome.fault is None or outcome.fault.status is not Status.HARNESS_ABORT:
            return outcome, attempt
    return outcome, ATTEMPTS


def _run(
    job: Job, spec: JobSpec, executor: Executor, tell: Callable[[str], None], cancelled: Callable[[], bool]
) -> JobOutcome:
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
        clear_scratch(job.folder)
    if found := job.result(spec.nonce):
        return found
    line = f"{state.detail} without an outcome: see {job.log}"
    return JobOutcome(
        nonce=spec.nonce,
        measurement=None,
        fault=Fault(status=Status.HARNESS_ABORT, line=line),
        isolation={"level": "unknown"},
    )
