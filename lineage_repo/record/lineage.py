"""The lineage: a ledger that is read and written, and the refs that follow from it."""

from collections.abc import Callable
from typing import Any

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Certification,
    Entry,
    Proposal,
    Registration,
    Trial,
)
from lineage_repo.model.measurement import Fault, Measurement, Status, now
from lineage_repo.record.index import Index
from lineage_repo.storage.message import proposal_message, trial_message, trial_subject
from lineage_repo.storage.objects import Signature
from lineage_repo.storage.store import BEST
from lineage_repo.text.phrases import certified_text
from lineage_repo.verdict.judge import JUDGE_VERSION, judge, pool_measurements


class Lineage(Index):
    """A ledger that is read and written, by any number of processes.

    Each write takes the lock of the one writer, reads what is new, and appends with one compare-and-swap, so that a
    trial is judged against the best of that moment and a killed writer loses nothing that it had reported.
    """

    def subject(self, entry: Entry) -> str:
        """Return the subject of the ledger's commit of `entry`, if it is the next entry; `verify` compares with it."""
        match entry:
            case CampaignEntry():
                return f"campaign {entry.name}: {entry.task['title']}"
            case Calibration():
                n_seeds = len(entry.measurement.box_seeds)
                return f"calibration {len(self.calibrations) + 1}: {n_seeds} seeds of the start"
            case Certification():
                pair = f"{entry.number:04d} against {entry.against:04d}"
                return f"certification {pair}: {certified_text(entry.certified)}, p {entry.p:.2g}"
            case Registration():
                return proposal_message(entry).splitlines()[0]
            case Trial():
                return trial_subject(entry, self.task.objective)

    def _append(self, entry: Entry, second: str | None = None) -> None:
        self.store.append(entry.canonical(), self.subject(entry), entry.at, second)
        self.refresh()

    def open_campaign(self, entry: CampaignEntry) -> None:
        """Write the ledger's first entry."""
        with self.store.writing():
            self._append(entry)

    def calibrate(self, entry: Calibration) -> None:
        """Append one measurement of the unmodified start."""
        with self.store.writing():
            self.refresh()
            self._append(entry)

    def certify(self, compare: Callable[[], Certification]) -> Certification:
        """Append the certification that `compare` makes, and return it.

        `compare` is called under the lock, after a refresh: the p that it needs depends on how many certifications the
        ledger has by then.
        """
        with self.store.writing():
            self.refresh()
            entry = compare()
            self._append(entry)
        return entry

    def open_baseline(self, proposal: Proposal, digests: dict[str, str]) -> Trial:
        """Record the calibrated start as trial 0, the root of every recipe; complete an interrupted attempt."""
        with self.store.writing():
            self.refresh()
            if 0 not in self.registered:
                self._register(0, proposal, digests)
            if 0 not in self.trials:
                measurements = [c.measurement for c in self.calibrations]
                self._finish(
                    self.registered[0],
                    pool_measurements(measurements),
                    None,
                    attempts=len(measurements),
                    isolation=self.calibrations[0].isolation,
                )
        return self.trials[0]

    def register(self, proposal: Proposal, digests: dict[str, str], lock_trial: Callable[[int], Any]) -> int:
        """Register a proposal before anything runs, and return the number of its trial.

        Args:
            proposal: What the agent claims; its recipe's tree is in the store already.
            digests: SHA-256 of what the trial is measured with, as in `Trial`.
            lock_trial: Called with the number before it is recorded, under the ledger's lock. It takes the lock of the
                trial's folder, so that nobody mistakes the new trial for one whose runner is dead.

        Raises:
            RecordError: the parent is not a recorded trial, there is no baseline yet, or the lineage was imported.
        """
        with self.store.writing():
            self.refresh()
            if self.is_imported:
                raise RecordError("the lineage was imported and is read-only: `espalier init` makes a new one")
            if 0 not in self.trials:
                raise RecordError("the campaign has no baseline: run `espalier calibrate` first")
            self.trial(proposal.parent if proposal.parent is not None else -1)
            number = max(self.registered) + 1
            lock_trial(number)
            self._register(number, proposal, digests)
        return number

    def record(
        self,
        number: int,
        measurement: Measurement | None,
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> Trial:
        """Judge a registered trial against the best of this moment, record it and return it.

        A trial that is recorded already is returned unchanged.

        Args:
            number: What `register` returned.
            measurement: What was measured, incomplete if there is a fault; None if nothing was.
            fault: Why the measurement is incomplete; None if it is complete.
            attempts: How many jobs it took, at least 1.
            isolation: What the record says of the boxes: at least `level`.

        Raises:
            KeyError: `number` is not registered.
        """
        with self.store.writing():
            self.refresh()
            if number not in self.trials:
                self._finish(self.registered[number], measurement, fault, attempts=attempts, isolation=isolation)
        return self.trials[number]

    def _register(self, number: int, proposal: Proposal, digests: dict[str, str]) -> None:
        entry = Registration(number=number, proposal=proposal, digests=digests, at=now())
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        commit = self.store.write_commit(
            {"proposal.json": proposal.canonical()},
            proposal_message(entry),
            Signature(proposal.specialist, entry.at),
            parents,
            proposal.recipe_tree,
        )
        self._append(entry, commit)

    def _finish(
        self,
        registration: Registration,
        measurement: Measurement | None,
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> None:
        task, proposal = self.task, registration.proposal
        incumbent, noise = self.incumbent(), self.noise(task) if registration.number else {}
        parent_score = None if proposal.parent is None else self.trials[proposal.parent].score
        trial = Trial(
            number=registration.number,
            proposal=proposal,
            measurement=measurement,
            fault=fault,
            attempts=attempts,
            incumbent=incumbent,
            parent_score=parent_score,
            noise=noise,
            judge_version=JUDGE_VERSION,
            notices=self.notices([proposal])[0],
            digests=registration.digests,
            isolation=isolation,
            verdict=judge(task, measurement, fault, incumbent, parent_score, noise),
            registered_at=registration.at,
            at=now(),
        )
        files = {"trial.json": trial.canonical()}
        if trial.number == 0:
            files["task.json"] = task.canonical()
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        signed = Signature(proposal.specialist, trial.at)
        commit = self.store.write_commit(files, trial_message(trial, task), signed, parents, proposal.recipe_tree)
        self._append(trial, commit)
        self.store.set_refs(trial_refs(trial, commit))

    # ---- derived refs

    def derived_refs(self) -> dict[str, str]:
        """Return every tag and branch that follows from the ledger, with its commit."""
        refs: dict[str, str] = {}
        for number, trial in self.trials.items():
            refs |= trial_refs(trial, self.commits[number])
        return refs

    def repair_refs(self) -> list[str]:
        """Make tags and `best` agree with the ledger; return the names of those that did not."""
        expected = self.derived_refs()
        actual = self.store.refs("refs/tags/trial", "refs/tags/keep", BEST)
        stale = [name for name in actual if name not in expected]
        moved = {name: commit for name, commit in expected.items() if actual.get(name) != commit}
        self.store.set_refs(moved, stale)
        return [*moved, *stale]


def trial_refs(trial: Trial, commit: str) -> dict[str, str]:
    """Return the refs that follow from one trial."""
    refs = {f"refs/tags/trial/{trial.number:04d}": commit}
    if trial.status is Status.KEEP:
        refs[f"refs/tags/keep/{trial.number:04d}"] = commit
    if trial.status in {Status.KEEP, Status.BASELINE}:
        refs[BEST] = commit
    return refs
