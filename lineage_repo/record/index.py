"""The index: a ledger read into memory, entry by entry, and the questions that it answers."""

from collections.abc import Sequence
from statistics import median

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Outcome
from lineage_repo.model.ledger import (
    NO_RECIPE_TREE,
    Proof,
    ProofRegistration,
    Proposal,
    Registration,
    Trial,
)
from lineage_repo.model.measurement import Clock, Measurement, Status
from lineage_repo.model.roster import Roster, build_roster
from lineage_repo.record.past import Past
from lineage_repo.verdict.notices import find_notices


class Index(Past):
    """A ledger in memory, for reading. It is empty until `refresh`, which reads only the new entries."""

    # ---- what the record says

    @property
    def roster(self) -> Roster:
        """The campaign's specialists by name."""
        if self._roster is None:
            self._roster = build_roster(self.task, self.campaign.arm, self.campaign.specialists)
        return self._roster

    @property
    def clock(self) -> Clock:
        """The clock that times every trial, frozen by the first calibration; raises `RecordError` before it."""
        if not self.calibrations:
            raise RecordError("the campaign is not calibrated: run `espalier calibrate` first")
        return self.calibrations[0].measurement.clock

    @property
    def head(self) -> Trial | None:
        """The trial that agents build on: the newest that beat the one before in its blocks; None before the start."""
        return self.trials[self.standing.head] if self.standing else None

    @property
    def anchor(self) -> Trial | None:
        """The trial that is proven: the newest that a replication passed, else the start; None before it."""
        return self.trials[self.standing.anchor] if self.standing else None

    def running_proof(self) -> ProofRegistration | None:
        """Return the registered proof without an outcome; None if there is none."""
        return next((r for proof, r in self.proofs_registered.items() if proof not in self.proofs), None)

    def count_proofs(self, level: str, up_to: int | None = None) -> int:
        """Return how many proofs of a level were registered, up to the one with the number `up_to` if given."""
        return sum(r.level == level and (up_to is None or n <= up_to) for n, r in self.proofs_registered.items())

    def find_due_demotion(self) -> Proof | None:
        """Return the replication that refuted or refused a head which is not demoted yet; None if there is none."""
        newest = next((p for p in reversed(self.proofs.values()) if p.level == "replicated"), None)
        if newest is None or newest.outcome not in {Outcome.REFUTED, Outcome.REFUSED}:
            return None
        done = any(d.proof == newest.proof for d in self.demotions)
        if done or self.standing is None or newest.number not in {*self.standing.steps, self.standing.anchor}:
            return None
        can_fall = self.standing.find_fall(newest.number, failed=newest.fault is not None) is not None
        return newest if can_fall else None

    def running(self) -> list[Registration]:
        """Return the registered trials without a verdict, oldest first."""
        return [entry for number, entry in self.registered.items() if number not in self.trials]

    def host_slowdown(self, measurement: Measurement) -> float | None:
        """Return by which share the host was slower than at calibration; None if the fixed loop was not timed."""
        calibrated = self.calibrated_loop_s()
        return median(measurement.loop_cpu_s) / calibrated - 1 if measurement.loop_cpu_s and calibrated else None

    def calibrated_loop_s(self) -> float:
        """Return the median CPU seconds of the fixed loop at calibration; 0 if it was not timed."""
        readings = [reading for calibration in self.calibrations for reading in calibration.measurement.loop_cpu_s]
        return median(readings) if readings else 0.0

    def find_measured(self, recipe_tree: str, by: str | None = None) -> Registration | None:
        """Return the registered trial, finished or running, that has this recipe; None if there is none.

        Harness aborts do not count, since nothing was measured, nor do demoted heads and what lost to them, which
        come back only if they are measured again. With `by` only that specialist's trials count.
        """
        for number, entry in self.registered.items():
            aborted = number in self.trials and self.trials[number].status is Status.HARNESS_ABORT
            if (
                entry.proposal.recipe_tree == recipe_tree
                and by in {None, entry.proposal.specialist}
                and not aborted
                and not self._is_void(number)
            ):
                return entry
        return None

    def _is_void(self, number: int) -> bool:
        """Return whether a trial was a head that was demoted, or lost to one."""
        against = self.trials[number].verdict.against if number in self.trials else None
        return number in self.demoted or against in self.demoted

    def trial(self, number: int) -> Trial:
        """Return a finished trial; raise `RecordError` with the recorded numbers if there is none of this number."""
        if number in self.trials:
            return self.trials[number]
        if number in self.registered:
            raise RecordError(f"trial {number:04d} is still running; ask again when it is recorded")
        span = f"0000 to {max(self.trials):04d}" if self.trials else "none yet"
        raise RecordError(f"no trial {number:04d}; recorded are {span}")

    def notices(self, proposals: Sequence[Proposal]) -> list[tuple[str, ...]]:
        """Return for each proposal where its edit goes beyond what its role declares."""
        roles = [None if p.parent not in self.trials else self.roster.get(p.specialist) for p in proposals]
        declared = [(i, r) for i, r in enumerate(roles) if r and (r.surface or r.edit_radius)]
        parents = [self.trials[p.parent].proposal.recipe_tree if p.parent in self.trials else "" for p in proposals]
        changed = self.store.changed_lines([(parents[i], proposals[i].recipe_tree) for i, _ in declared])
        notices: list[tuple[str, ...]] = [()] * len(proposals)
        for (i, role), lines in zip(declared, changed, strict=True):
            notices[i] = find_notices(role, lines)
        return notices

    def recipe_tree(self, number: int) -> str:
        """Return the git tree of a trial's recipe; raise `RecordError` if it was imported without one."""
        tree = self.trial(number).proposal.recipe_tree
        if tree == NO_RECIPE_TREE:
            raise RecordError(f"the snapshot of trial {number:04d} is missing: the trial was imported without its code")
        return tree

    def read_recipe(self, number: int) -> dict[str, bytes]:
        """Return the exact files that a trial measured."""
        return self.store.read_tree(self.recipe_tree(number))
