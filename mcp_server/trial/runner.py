"""The runner: one detached process that owns one trial, from preflight to its record, whatever else dies."""

import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.monitor.from_git import write_overview
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host, own_environment
from mcp_server.trial.attempts import CancelledError, measure
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.job import JobResult
from mcp_server.trial.preflight import preflight

_PATIENCE, _RETRY_S = 60, 10.0
"""Ten minutes for the disk to get room again."""


def launch(campaign: Campaign, number: int, host: Host, claim: int) -> None:
    """Start the runner of a registered trial in a session of its own; it inherits the claim and frees it by ending."""
    paths = campaign.paths.trial(number)
    with paths.log.open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-m",
                "mcp_server.trial.runner",
                str(campaign.folder.resolve()),
                str(number),
                host.model_dump_json(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[claim],
            cwd=paths.folder,
            env=own_environment(host),
        )
    # It outlives us on purpose, so nobody waits for it: say so, or its collection would warn.
    process.returncode = 0


def run(campaign: Campaign, number: int, host: Host) -> Trial:
    """Measure and record one registered trial."""
    lineage = campaign.lineage.refresh()
    started, paths = lineage.started[number], campaign.paths.trial(number)

    def tell(text: str) -> None:
        write_whole(paths.progress, text.encode())

    attempts = 1
    try:
        files = lineage.store.read_tree(started.proposal.recipe_tree)
        campaign.check_digests()
        sweep()
        if fault := preflight(campaign.task, files):
            outcome = JobResult(nonce="", measurement=None, fault=fault, isolation={"level": "not run"})
        else:
            outcome, attempts = measure(
                campaign,
                files,
                paths.folder,
                host=host,
                executor=LocalExecutor(host),
                clock=lineage.calibrations[0].measurement.clock,
                tell=tell,
                cancelled=paths.cancel.exists,
                guarded=True,
            )
    except CancelledError:
        outcome = _abort("cancelled by the operator")
    except Exception as error:  # the one broad catch of this process: whatever went wrong, the trial is recorded
        traceback.print_exc()
        outcome = _abort(f"the runner failed: {type(error).__name__}: {error}")
    return _record(campaign, number, outcome, attempts)


def _record(campaign: Campaign, number: int, outcome: JobResult, attempts: int) -> Trial:
    """Record the outcome; a full disk or a held lock is waited for, since the measurement is already paid for."""
    for patience in range(_PATIENCE, -1, -1):
        try:
            trial = campaign.lineage.record(
                number, outcome.measurement, outcome.fault, attempts=attempts, isolation=outcome.isolation
            )
            write_overview(campaign.lineage)
            return trial
        except (RecordError, OSError):
            traceback.print_exc()
            if patience == 0:
                raise
            time.sleep(_RETRY_S)
    raise AssertionError


def _abort(line: str) -> JobResult:
    fault = Fault(status=Status.HARNESS_ABORT, line=clip(line, 400))
    return JobResult(nonce="", measurement=None, fault=fault, isolation={"level": "not run"})


def _terminated(*_: object) -> None:
    raise CancelledError


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    run(Campaign.open(Path(sys.argv[1])), int(sys.argv[2]), Host.model_validate_json(sys.argv[3]))
