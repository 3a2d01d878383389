"""The writer: appends entries to the ledger, by any number of processes, and lets the derived refs follow."""

from collections.abc import Generator
from contextlib import contextmanager

from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Demotion,
    Entry,
    Proof,
    ProofRegistration,
    Registration,
    Trial,
)
from lineage_repo.model.measurement import Status, now
from lineage_repo.record.index import Index
from lineage_repo.storage.message import demotion_subject, proof_subject, proposal_message, trial_subject
from lineage_repo.storage.store import BEST, HEAD


class Writer(Index):
    """A ledger that is read and appended to.

    Each write takes the lock of the one writer, reads what is new, and appends with one compare-and-swap, so that a
    trial is judged against the head of that moment and a killed writer loses nothing that it had reported.
    """

    def subject(self, entry: Entry) -> str:
        """Return the subject of the ledger's commit of `entry`, if it is the next entry; `verify` compares with it."""
        match entry:
            case CampaignEntry():
                return f"campaign {entry.name}: {entry.task['title']}"
            case Calibration():
                n_seeds = entry.measurement.n_seeds
                return f"calibration {len(self.calibrations) + 1}: {n_seeds} seeds of the start"
            case ProofRegistration() | Proof():
                return proof_subject(entry, self.task.objective)
            case Demotion():
                return demotion_subject(entry)
            case Registration():
                return proposal_message(entry).splitlines()[0]
            case Trial():
                return trial_subject(entry, self.task.objective)

    def append(self, entry: Entry, second: str | None = None) -> None:
        """Append the next entry and read it; call it inside `locked()`."""
        self.store.append(entry.canonical(), self.subject(entry), entry.at, second)
        self.refresh()

    @contextmanager
    def locked(self) -> Generator[None]:
        """Take the writer's lock, read what is new, and complete what a killed writer of a proof left."""
        with self.store.writing():
            self.refresh()
            self.demote_if_due()
            yield

    def demote_if_due(self) -> None:
        """Write the demotion that follows from the newest replication, if it is missing."""
        if (cause := self.find_due_demotion()) and (standing := self.standing):
            head = standing.find_fall(cause.number, failed=cause.fault is not None)
            if head is not None:
                self.append(Demotion(number=standing.head, head=head, proof=cause.proof, at=max(now(), cause.at)))
            self.store.set_refs(self.branches())

    # ---- derived refs

    def derived_refs(self) -> dict[str, str]:
        """Return every tag and branch that follows from the ledger, with its commit."""
        refs = self.branches()
        for number, trial in self.trials.items():
            refs |= trial_tags(trial, self.commits[number])
        return refs

    def repair_refs(self) -> list[str]:
        """Make tags and branches agree with the ledger; return the names of those that did not."""
        expected = self.derived_refs()
        actual = self.store.refs("refs/tags/trial", "refs/tags/keep", BEST, HEAD)
        stale = [name for name in actual if name not in expected]
        moved = {name: commit for name, commit in expected.items() if actual.get(name) != commit}
        self.store.set_refs(moved, stale)
        return [*moved, *stale]

    def branches(self) -> dict[str, str]:
        """Return the branches of head and anchor with their commits; none before the baseline."""
        if self.standing is None:
            return {}
        return {BEST: self.commits[self.standing.anchor], HEAD: self.commits[self.standing.head]}


def trial_tags(trial: Trial, commit: str) -> dict[str, str]:
    """Return the tags that follow from one trial; they stay, whatever becomes of the head."""
    refs = {f"refs/tags/trial/{trial.number:04d}": commit}
    if trial.status is Status.KEEP:
        refs[f"refs/tags/keep/{trial.number:04d}"] = commit
    return refs
