"""The past: what a ledger said at one of its entries, from which a comparison that began there follows."""

from bisect import bisect_right
from operator import itemgetter

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Spread
from lineage_repo.record.fold import Fold
from lineage_repo.verdict.margins import values_per_seed
from lineage_repo.verdict.statistics import correlate, pool_spreads

SHARED_FROM = 0.5
"""Correlation from which on both sides of a block share their seed: it halves the variance of their difference."""


class Past(Fold):
    """A ledger in memory, and what it said at each of its entries."""

    def head_at(self, ledger: str) -> int | None:
        """Return the head after the ledger entry with this commit; None if there was none, or no such entry."""
        place = self.positions.get(ledger, -1)
        return next((head for at, head in reversed(self._heads) if at <= place), None)

    def registered_after(self, number: int, ledger: str) -> bool:
        """Return whether a trial was registered after a ledger entry, or that entry is not there."""
        return self._registered_at.get(number, 0) > self.positions.get(ledger, -1)

    def noise_of_proof(self, proof: int) -> dict[str, Spread]:
        """Return each metric's spread when a proof was registered, by which it is judged."""
        return self._pool_noise(self._proof_registered_at[proof])

    def proof_registered_after(self, proof: int, ledger: str) -> bool:
        """Return whether a proof was registered after a ledger entry, or that entry is not there."""
        return self._proof_registered_at.get(proof, 0) > self.positions.get(ledger, -1)

    def window_at(self, number: int, ledger: str) -> tuple[float, ...]:
        """Return the values of a trial's objective that a screen compares with, as known at a ledger entry.

        They are the last `head_window` in the order of the ledger; with the rule `any` those of the trial itself.
        """
        if self.task.judge.rule == "any":
            measurement = self.trials[number].measurement
            return values_per_seed(self.task, measurement)[self.task.objective.metric] if measurement else ()
        place = self.positions.get(ledger, -1)
        values = self._values.get(number, [])
        end = bisect_right(values, place, key=itemgetter(0))
        return tuple(value for _, value in values[max(0, end - self.task.judge.head_window) : end])

    def correlate_seeds(self, ledger: str | None = None) -> float | None:
        """Return how the start's values correlate under the same seed, over the calibrations up to a ledger entry.

        None with fewer than three pairs, or where the values never vary.
        """
        last = len(self.positions) if ledger is None else self.positions.get(ledger, -1)
        known = [c.comparison for place, c in zip(self._calibrated_at, self.calibrations, strict=True) if place <= last]
        metric = self.task.objective.metric
        pairs = [
            pair
            for c in known
            if c.reference
            for pair in zip(*(values_per_seed(self.task, m).get(metric, ()) for m in c.measurements), strict=False)
        ]
        return correlate(pairs)

    def shares_seeds(self, ledger: str | None = None) -> bool:
        """Return whether both sides of a block take the same seed: where that takes noise out of their difference."""
        found = self.correlate_seeds(ledger)
        return found is not None and found >= SHARED_FROM

    def noise(self, task: Task, ledger: str | None = None) -> dict[str, Spread]:
        """Return each metric's spread over the seeds of all calibrations, or of those up to a ledger entry."""
        return self._pool_noise(len(self.positions) if ledger is None else self.positions.get(ledger, -1))

    def _pool_noise(self, last: int) -> dict[str, Spread]:
        samples: dict[str, list[tuple[float, ...]]] = {}
        for place, calibration in zip(self._calibrated_at, self.calibrations, strict=True):
            if place > last:
                break
            for metric, values in values_per_seed(self.task, calibration.measurement).items():
                samples.setdefault(metric, []).append(values)
        return {metric: pool_spreads(values) for metric, values in samples.items()}
