"""The runner: one detached process that owns one trial, from preflight to its record, whatever else dies.

`launch` starts it, `run` is its body. Its standard error is the trial's `runner.log`, where `logging` puts tracebacks;
its newest line of progress is in `progress.txt`.
"""

import logging
import signal
import sys
from pathlib import Path

from lineage_repo.model.ledger import Trial
from lineage_repo.monitor.from_git import write_overview
from lineage_repo.progress import progress_to
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host
from mcp_server.trial import detached, proving
from mcp_server.trial.attempts import CancelledError
from mcp_server.trial.comparing import Comparer
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.preflight import preflight


def launch(campaign: Campaign, number: int, host: Host, lock: int) -> None:
    """Start the runner of a registered trial; it takes over the descriptor `lock` on the trial's folder."""
    detached.launch("mcp_server.trial.runner", campaign, number, campaign.paths.trial(number), host, lock)


def run(campaign: Campaign, number: int, host: Host) -> Trial:
    """Measure and record one registered trial; return what is recorded. A replication that is due then starts.

    Whatever fails before the record becomes a `harness_abort`.

    Raises:
        RecordError, OSError: the record could not be written for ten minutes; `recover` records the trial later.
    """
    paths = campaign.paths.trial(number)
    comparer = Comparer(campaign, paths.folder, LocalExecutor(host), paths.cancel.exists)
    try:
        with progress_to(lambda line: write_whole(paths.progress, line.encode())):
            trial = _measure(campaign, number, comparer)
    except CancelledError:
        comparer.evidence.abort("cancelled by the operator")
        trial = _record(campaign, number, comparer)
    except Exception as error:  # the one broad catch of this process: whatever went wrong, the trial is recorded
        logging.getLogger("espalier.trial").exception("trial %04d could not be measured", number)
        comparer.evidence.abort(f"the runner failed: {type(error).__name__}: {error}")
        trial = _record(campaign, number, comparer)
    if trial is None:
        raise AssertionError("a trial with a fault is always recorded")
    write_overview(campaign.lineage)
    # A head that fails would block every trial; its replication finds that out and demotes it.
    proving.launch_if_due(campaign, host, head_failed=comparer.evidence.reference_failed)
    return trial


def _measure(campaign: Campaign, number: int, comparer: Comparer) -> Trial:
    """Measure the screen, then blocks against the head for as long as the record asks for them."""
    lineage = campaign.lineage.refresh()
    files = lineage.store.read_tree(lineage.registered[number].proposal.recipe_tree)
    campaign.check_digests()
    sweep()
    comparer.evidence.fault = preflight(campaign.task, files)
    if comparer.evidence.fault is None:
        comparer.measure_screen(number, files)
    while (trial := _record(campaign, number, comparer)) is None:
        standing = lineage.refresh().standing
        comparer.measure_blocks(files, standing.head if standing else 0, campaign.task.judge.blocks)
    return trial


def _record(campaign: Campaign, number: int, comparer: Comparer) -> Trial | None:
    """Record the trial; None, with nothing recorded, if blocks against the present head come first."""
    found = comparer.evidence
    return detached.insist(
        f"trial {number:04d}",
        lambda: campaign.lineage.record(
            number, found.comparisons, found.fault, attempts=found.attempts, isolation=found.isolation
        ),
    )


def _cancel(*_: object) -> None:
    raise CancelledError


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _cancel)
    run(Campaign.open(Path(sys.argv[1])), int(sys.argv[2]), Host.model_validate_json(sys.argv[3]))
