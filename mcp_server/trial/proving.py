"""Proving: one detached process that owns one replication or certification, from its registration to its record.

Like a trial's runner it survives whoever started it: `python -I -m mcp_server.trial.proving CAMPAIGN PROOF HOST`.
"""

import logging
import signal
import sys
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Outcome
from lineage_repo.model.ledger import Proof, ProofLevel, ProofRegistration
from lineage_repo.monitor.from_git import write_overview
from lineage_repo.progress import progress_to, report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage import locks
from lineage_repo.storage.files import write_whole
from lineage_repo.verdict.proofs import count_missing_blocks
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host
from mcp_server.trial import detached
from mcp_server.trial.attempts import CancelledError
from mcp_server.trial.comparing import Comparer
from mcp_server.trial.executor import LocalExecutor

_MAX_ABORTED = 2
"""Replications of one head that may be aborted before nobody starts another by itself."""


def launch(campaign: Campaign, level: ProofLevel, number: int, against: int, host: Host) -> ProofRegistration:
    """Register a proof and start the process that owns it; return the registration.

    Raises:
        RecordError: see `Lineage.register_proof`.
    """
    acquired: list[int] = []
    try:
        entry = campaign.lineage.register_proof(
            level, number, against, lambda proof: acquired.append(locks.acquire(campaign.paths.proof(proof).folder))
        )
        paths = campaign.paths.proof(entry.proof)
        detached.launch("mcp_server.trial.proving", campaign, entry.proof, paths, host, acquired[0])
    finally:
        for descriptor in acquired:
            locks.release(descriptor)
    return entry


def launch_if_due(campaign: Campaign, host: Host, *, head_failed: bool = False) -> ProofRegistration | None:
    """Start the replication of the head if it has moved often enough; None if none is due.

    With `head_failed`, start it in any case: a head that fails as the reference blocks every trial, so it must prove
    itself or fall, to the anchor before if it is the anchor.
    """
    lineage = campaign.lineage.refresh()
    standing = lineage.standing
    if standing is None or standing.rival is None or lineage.running_proof():
        return None
    due = standing.is_due(campaign.task.judge) and _count_aborted(lineage, standing.head) < _MAX_ABORTED
    if not due and not head_failed:
        return None
    try:
        return launch(campaign, "replicated", standing.head, standing.rival, host)
    except RecordError:  # somebody else was faster
        return None


def _count_aborted(lineage: Lineage, number: int) -> int:
    return sum(
        p.number == number and p.level == "replicated" and p.outcome is Outcome.ABORTED for p in lineage.proofs.values()
    )


def run(campaign: Campaign, proof: int, host: Host) -> Proof:
    """Measure and record one registered proof; return what is recorded.

    Whatever fails before the record aborts the proof.

    Raises:
        RecordError, OSError: the record could not be written for ten minutes; `recover` records it later.
    """
    paths = campaign.paths.proof(proof)
    comparer = Comparer(campaign, paths.folder, LocalExecutor(host), paths.cancel.exists)
    found = comparer.evidence
    try:
        with progress_to(lambda line: write_whole(paths.progress, line.encode())):
            _measure(campaign, campaign.lineage.refresh().proofs_registered[proof], comparer, host)
    except CancelledError:
        found.abort("cancelled by the operator")
    except Exception as error:  # the one broad catch of this process: whatever went wrong, the proof is recorded
        logging.getLogger("espalier.trial").exception("proof %d could not be measured", proof)
        found.abort(f"the runner failed: {type(error).__name__}: {error}")
    entry = detached.insist(
        f"proof {proof}",
        lambda: campaign.lineage.record_proof(proof, found.comparisons, found.fault, found.isolation),
    )
    write_overview(campaign.lineage)
    if entry.outcome is not Outcome.ABORTED:  # whoever cancelled it does not want the next one at once
        launch_if_due(campaign, host)
    return entry


def _measure(campaign: Campaign, entry: ProofRegistration, comparer: Comparer, host: Host) -> None:
    """Measure blocks up to each look, for as long as the proof is undecided."""
    task, found = campaign.task, comparer.evidence
    campaign.check_digests()
    sweep()
    files = campaign.lineage.read_recipe(entry.number)
    noise = campaign.lineage.noise_of_proof(entry.proof)
    strands = max(1, int(host.slots * task.judge.proof_share))
    while found.fault is None and (blocks := count_missing_blocks(task, entry, found.comparisons, noise)):
        done = sum(c.candidate.n_seeds for c in found.comparisons)
        report_progress(f"blocks {done + 1} to {done + blocks} of {entry.blocks[-1]} at most")
        comparer.measure_blocks(files, entry.against, blocks, proof=True, strands=strands)


def main(folder: Path, proof: int, host: Host) -> None:
    """Run one proof; SIGTERM cancels it as `espalier cancel` does, in every strand."""
    campaign = Campaign.open(folder)

    def cancel(*_: object) -> None:
        campaign.paths.proof(proof).cancel.touch()

    signal.signal(signal.SIGTERM, cancel)
    run(campaign, proof, host)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Host.model_validate_json(sys.argv[3]))
