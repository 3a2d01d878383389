"""The runner: one detached process that owns one trial, from preflight to its record, whatever else dies.

`launch` starts it, `run` is its body. Its standard error is the trial's `runner.log`, where `logging` puts tracebacks;
its newest line of progress is in `progress.txt`.
"""

import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import Trial
from lineage_repo.monitor.from_git import write_overview
from lineage_repo.progress import progress_to
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host, own_environment
from mcp_server.trial.attempts import CancelledError, measure
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.job import JobResult
from mcp_server.trial.preflight import preflight

_RETRIES, _RETRY_S = 60, 10.0
"""Ten minutes in which a full disk may get room again."""


def launch(campaign: Campaign, number: int, host: Host, lock: int) -> None:
    """Start the runner of a registered trial in a session of its own.

    It inherits the descriptor `lock`, the lock on the trial's folder, and frees it by ending.
    """
    paths = campaign.paths.trial(number)
    program = [sys.executable, "-I", "-m", "mcp_server.trial.runner"]
    with paths.log.open("ab") as log:
        process = subprocess.Popen(
            [*program, str(campaign.folder.resolve()), str(number), host.model_dump_json()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock],
            cwd=paths.folder,
            env=own_environment(host),
        )
    # It outlives us on purpose, so nobody waits for it. Without a return code its collection would warn.
    process.returncode = 0


def run(campaign: Campaign, number: int, host: Host) -> Trial:
    """Measure and record one registered trial; return what is recorded.

    Whatever fails before the record becomes a `harness_abort`.

    Raises:
        RecordError, OSError: the record could not be written for ten minutes; `recover` records the trial later.
    """
    paths = campaign.paths.trial(number)
    try:
        with progress_to(lambda line: write_whole(paths.progress, line.encode())):
            result = _measure(campaign, number, LocalExecutor(host))
    except CancelledError:
        result = JobResult.abort("cancelled by the operator")
    except Exception as error:  # the one broad catch of this process: whatever went wrong, the trial is recorded
        logging.getLogger("espalier.trial").exception("trial %04d could not be measured", number)
        result = JobResult.abort(f"the runner failed: {type(error).__name__}: {error}")
    trial = _record(campaign, number, result)
    write_overview(campaign.lineage)
    return trial


def _measure(campaign: Campaign, number: int, executor: LocalExecutor) -> JobResult:
    lineage, paths = campaign.lineage.refresh(), campaign.paths.trial(number)
    files = lineage.store.read_tree(lineage.registered[number].proposal.recipe_tree)
    campaign.check_digests()
    sweep()
    if fault := preflight(campaign.task, files):
        return JobResult(fault=fault)
    return measure(campaign, files, paths.folder, executor, cancelled=paths.cancel.exists, guarded=True)


def _record(campaign: Campaign, number: int, result: JobResult) -> Trial:
    """Record the result; wait for a full disk or a held lock, since the measurement is already paid for."""
    for retries_left in range(_RETRIES, -1, -1):
        try:
            return campaign.lineage.record(
                number, result.measurement, result.fault, attempts=result.attempts, isolation=result.isolation
            )
        except (RecordError, OSError):
            logging.getLogger("espalier.trial").exception("trial %04d could not be recorded", number)
            if retries_left == 0:
                raise
            time.sleep(_RETRY_S)
    raise AssertionError


def _cancel(*_: object) -> None:
    raise CancelledError


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _cancel)
    run(Campaign.open(Path(sys.argv[1])), int(sys.argv[2]), Host.model_validate_json(sys.argv[3]))
