"""Proofs in the ledger: registered before their first seed, recorded with the demotion that they may cause."""

from collections.abc import Callable, Sequence
from typing import Any

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison
from lineage_repo.model.ledger import Proof, ProofLevel, ProofRegistration
from lineage_repo.model.measurement import Fault, now
from lineage_repo.record.writer import Writer
from lineage_repo.verdict.proofs import judge_proof, planned_blocks


class ProofWriter(Writer):
    """A ledger to which replications and certifications are appended."""

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
        with self.locked():
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
            self.append(entry)
        return entry

    def _check_replication(self, number: int, against: int) -> None:
        standing = self.standing
        if standing is None or (number, against) != (standing.head, standing.rival):
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
        with self.locked():
            if proof not in self.proofs:
                registration = self.proofs_registered[proof]
                k = self.count_proofs(registration.level, proof)
                noise = self.noise_of_proof(proof)
                at = max(now(), registration.at)
                self.append(judge_proof(self.task, registration, k, comparisons, fault, noise, isolation, at))
            self.demote_if_due()
            self.store.set_refs(self.branches())
        return self.proofs[proof]

    def settle(self) -> None:
        """Complete what a killed writer of a proof left: the demotion that follows from it."""
        if self.refresh().find_due_demotion():
            with self.locked():
                pass
