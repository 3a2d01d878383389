"""The lineage: the ledger of a campaign, from its first entry to its trials."""

from collections.abc import Callable, Sequence
from typing import Any

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison
from lineage_repo.model.ledger import Calibration, CampaignEntry, Proposal, Registration, Trial
from lineage_repo.model.measurement import Fault, now
from lineage_repo.record.proofs import ProofWriter
from lineage_repo.record.writer import trial_tags
from lineage_repo.storage.message import proposal_message, trial_message
from lineage_repo.storage.objects import Signature
from lineage_repo.verdict.judge import JUDGE_VERSION, judge, wants_blocks


class Lineage(ProofWriter):
    """A ledger that is read and written, by any number of processes."""

    def open_campaign(self, entry: CampaignEntry) -> None:
        """Write the ledger's first entry."""
        with self.store.writing():
            self.append(entry)

    def calibrate(self, entry: Calibration) -> None:
        """Append one measurement of the unmodified start."""
        with self.locked():
            self.append(entry)

    def open_baseline(self, proposal: Proposal, digests: dict[str, str]) -> Trial:
        """Record the calibrated start as trial 0, the root of every recipe; complete an interrupted attempt."""
        with self.locked():
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
        with self.locked():
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
        with self.locked():
            if number not in self.trials:
                if fault is None and self._wants_blocks(comparisons):
                    return None
                if fault is None and self.task.judge.rule == "any":
                    comparisons = [self._compare_with_head(c) for c in comparisons]
                self._finish(self.registered[number], comparisons, fault, attempts=attempts, isolation=isolation)
        return self.trials[number]

    def _compare_with_head(self, screen: Comparison) -> Comparison:
        """With the rule `any` only recorded means are compared: take those of the head of this moment."""
        if self.standing is None or self.tip is None:
            return screen
        head, ledger = self.standing.head, self.tip
        changed = {"against": head, "ledger": ledger, "window": self.window_at(head, ledger)}
        return screen.model_copy(update=changed)

    def _wants_blocks(self, comparisons: Sequence[Comparison]) -> bool:
        if not comparisons or self.standing is None:
            return False
        noise = self.noise(self.task, comparisons[0].ledger)
        return wants_blocks(self.task, comparisons, self.standing.head, noise)

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
        self.append(entry, commit)

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
            at=max(now(), registration.at),  # the clock may have been set back
        )
        files = {"trial.json": trial.canonical()}
        if trial.number == 0:
            files["task.json"] = task.canonical()
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        signed = Signature(proposal.specialist, trial.at)
        commit = self.store.write_commit(files, trial_message(trial, task), signed, parents, proposal.recipe_tree)
        self.append(trial, commit)
        self.store.set_refs(trial_tags(trial, commit) | self.branches())
