"""The lineage: a ledger that is read and written, and the refs that follow from it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Demotion,
    Entry,
    Proof,
    ProofLevel,
    ProofRegistration,
    Proposal,
    Registration,
    Trial,
)
from lineage_repo.model.measurement import Comparison, Fault, Status, now
from lineage_repo.record.index import Index
from lineage_repo.storage.message import demotion_subject, proof_subject, proposal_message, trial_message, trial_subject
from lineage_repo.storage.objects import Signature
from lineage_repo.storage.store import BEST, HEAD
from lineage_repo.verdict.judge import JUDGE_VERSION, judge, wants_blocks
from lineage_repo.verdict.proofs import judge_proof, planned_blocks


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

    def _append(self, entry: Entry, second: str | None = None) -> None:
        self.store.append(entry.canonical(), self.subject(entry), entry.at, second)
        self.refresh()

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Take the writer's lock, read what is new, and complete what a killed writer of a proof left."""
        with self.store.writing():
            self.refresh()
            self._demote_if_due()
            yield

    def open_campaign(self, entry: CampaignEntry) -> None:
        """Write the ledger's first entry."""
        with self.store.writing():
            self._append(entry)

    def calibrate(self, entry: Calibration) -> None:
        """Append one measurement of the unmodified start."""
        with self._writing():
            self._append(entry)

    def open_baseline(self, proposal: Proposal, digests: dict[str, str]) -> Trial:
        """Record the calibrated start as trial 0, the root of every recipe; complete an interrupted attempt."""
        with self._writing():
            if 0 not in self.registered:
                self._register(0, proposal, digests)
            if 0 not in self.trials:
                comparisons = [c.comparison for c in self.calibrations]
                isolation = self.calibrations[0].isolation
                self._finish(self.registered[0], comparisons, None, attempts=len(comparisons), isolation=isolation)
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
        with self._writing():
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
        comparisons: Sequence[Comparison],
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> Trial | None:
        """Judge a registered trial against the head of this moment, record it and return it.

        A trial that is recorded already is returned unchanged. A complete trial that would have moved the head is not
        recorded if the head has moved since: the answer is None, and blocks against the new head come next.

        Args:
            number: What `register` returned.
            comparisons: What was measured, the last one incomplete if there is a fault; empty if nothing was.
            fault: Why the measurement is incomplete; None if it is complete.
            attempts: How many jobs it took, at least 1.
            isolation: What the record says of the boxes: at least `level`.

        Raises:
            KeyError: `number` is not registered.
        """
        with self._writing():
            if number not in self.trials:
                if fault is None and self._wants_blocks(comparisons):
                    return None
                self._finish(self.registered[number], comparisons, fault, attempts=attempts, isolation=isolation)
        return self.trials[number]

    def _wants_blocks(self, comparisons: Sequence[Comparison]) -> bool:
        if not comparisons or self.standing is None:
            return False
        noise = self.noise(self.task, comparisons[0].ledger)
        return wants_blocks(self.task, comparisons, self.standing.head, noise)

    def register_proof(
        self, level: ProofLevel, number: int, against: int, lock_proof: Callable[[int], Any]
    ) -> ProofRegistration:
        """Register a replication or a certification before its first seed, and return the entry.

        Args:
            level: What is to be proven.
            number: The trial in question.
            against: The trial that it must beat.
            lock_proof: Called with the proof's number before it is recorded, like `lock_trial` of `register`.

        Raises:
            RecordError: a proof is running already, both are the same trial, one of them is not recorded or has no
                score, or a replication is not of the head against the anchor.
        """
        with self._writing():
            if running := self.running_proof():
                raise RecordError(f"proof {running.proof} is still running: wait until it is recorded")
            if number == against:
                raise RecordError(f"trial {number:04d} can't beat itself: name another one")
            if missing := [n for n in (number, against) if self.trial(n).score is None]:
                raise RecordError(f"trial {missing[0]:04d} has no score, so there is nothing to prove")
            if level == "replicated":
                self._check_replication(number, against)
            proof = max(self.proofs_registered, default=0) + 1
            lock_proof(proof)
            blocks = planned_blocks(self.task, level)
            entry = ProofRegistration(proof=proof, level=level, number=number, against=against, blocks=blocks, at=now())
            self._append(entry)
        return entry

    def _check_replication(self, number: int, against: int) -> None:
        standing = self.standing
        if standing is None or (number, against) != (standing.head, standing.anchor):
            pair = "there is none" if standing is None else f"{standing.head:04d} and {standing.anchor:04d}"
            raise RecordError(
                f"a replication tests the head against the anchor ({pair}), not {number:04d}, {against:04d}"
            )

    def record_proof(
        self, proof: int, comparisons: Sequence[Comparison], fault: Fault | None, isolation: dict[str, str]
    ) -> Proof:
        """Judge a registered proof, record it with the demotion that it may cause, and return it.

        A proof that is recorded already is returned unchanged.
        """
        with self._writing():
            if proof not in self.proofs:
                registration = self.proofs_registered[proof]
                k = self.count_proofs(registration.level, proof)
                noise = self.noise(self.task)
                self._append(judge_proof(self.task, registration, k, comparisons, fault, noise, isolation, now()))
            self._demote_if_due()
            self.store.set_refs(self._branches())
        return self.proofs[proof]

    def _demote_if_due(self) -> None:
        if (cause := self.find_due_demotion()) and (standing := self.standing):
            self._append(Demotion(number=standing.head, anchor=standing.anchor, proof=cause.proof, at=now()))
            self.store.set_refs(self._branches())

    def settle(self) -> None:
        """Complete what a killed writer of a proof left: the demotion that follows from it."""
        if self.refresh().find_due_demotion():
            with self._writing():
                pass

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
        comparisons: Sequence[Comparison],
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> None:
        task, proposal = self.task, registration.proposal
        head = self.standing.head if self.standing else None
        noise = self.noise(task, comparisons[0].ledger if comparisons else None) if registration.number else {}
        trial = Trial(
            number=registration.number,
            proposal=proposal,
            comparisons=tuple(comparisons),
            fault=fault,
            attempts=attempts,
            head=head,
            noise=noise,
            judge_version=JUDGE_VERSION,
            notices=self.notices([proposal])[0],
            digests=registration.digests,
            isolation=isolation,
            verdict=judge(task, comparisons, fault, head, noise),
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
        self.store.set_refs(trial_tags(trial, commit) | self._branches())

    # ---- derived refs

    def derived_refs(self) -> dict[str, str]:
        """Return every tag and branch that follows from the ledger, with its commit."""
        refs = self._branches()
        for number, trial in self.trials.items():
            refs |= trial_tags(trial, self.commits[number])
        return refs

    def _branches(self) -> dict[str, str]:
        if self.standing is None:
            return {}
        return {BEST: self.commits[self.standing.anchor], HEAD: self.commits[self.standing.head]}

    def repair_refs(self) -> list[str]:
        """Make tags and branches agree with the ledger; return the names of those that did not."""
        expected = self.derived_refs()
        actual = self.store.refs("refs/tags/trial", "refs/tags/keep", BEST, HEAD)
        stale = [name for name in actual if name not in expected]
        moved = {name: commit for name, commit in expected.items() if actual.get(name) != commit}
        self.store.set_refs(moved, stale)
        return [*moved, *stale]


def trial_tags(trial: Trial, commit: str) -> dict[str, str]:
    """Return the tags that follow from one trial; they stay, whatever becomes of the head."""
    refs = {f"refs/tags/trial/{trial.number:04d}": commit}
    if trial.status is Status.KEEP:
        refs[f"refs/tags/keep/{trial.number:04d}"] = commit
    return refs
