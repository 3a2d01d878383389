"""Check comparisons: a measurement is evidence only if it is fresh, complete, in turn and of the recorded recipes."""

import itertools
from collections.abc import Iterator, Sequence

from lineage_repo.model.comparison import Comparison
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Measurement, derive_seed
from lineage_repo.record.lineage import Lineage

_Seed = tuple[object, ...]


class Freshness:
    """The seeds and values of earlier entries, so that neither is entered twice."""

    def __init__(self) -> None:
        self._drawn: dict[int, str] = {}
        self._values: dict[_Seed, str] = {}

    def check(self, where: str, what: str, comparisons: Sequence[Comparison]) -> Iterator[str]:
        """Yield each trial seed and each seed's values that an earlier entry has, then remember those of this one.

        Args:
            where: Begins each line.
            what: Names the entry in later findings.
            comparisons: What the entry measured.
        """
        measured = [m for comparison in comparisons for m in comparison.measurements]
        for measurement in measured:
            if again := [seed for seed in measurement.trial_seeds if seed in self._drawn]:
                yield f"{where} was measured with the seed {again[0]} of {self._drawn[again[0]]}: not a fresh one"
            for values in _list_values(measurement):
                if values in self._values:
                    yield f"{where} has the very values and times of {self._values[values]}: a copied measurement"
                self._values[values] = what
        drawn = [seed for comparison in comparisons for seed in _list_draws(comparison)]
        if len(set(drawn)) < len(drawn):
            yield f"{where} has one seed in more turns than the sides of one block"
        self._drawn |= dict.fromkeys(drawn, what)


def _shares(comparison: Comparison) -> bool:
    """Return whether both sides have the same seeds in turn; one that ended early has fewer."""
    theirs = comparison.reference.trial_seeds if comparison.reference else ()
    ours = comparison.candidate.trial_seeds
    return bool(theirs) and ours[: len(theirs)] == theirs[: len(ours)]


def _list_draws(comparison: Comparison) -> tuple[int, ...]:
    """Return the seeds that were drawn: one a block where both sides share it."""
    ours, theirs = comparison.candidate.trial_seeds, comparison.reference.trial_seeds if comparison.reference else ()
    return max(ours, theirs, key=len) if comparison.shared_seeds and _shares(comparison) else ours + theirs


def _list_values(measurement: Measurement) -> list[_Seed]:
    """Return for each seed everything that was measured; two measurements of one recipe never agree in all times."""
    runs = [
        tuple((r.phase, r.elapsed_s, r.wall_s, r.setup_s) for r in measurement.phases if r.seed_index == index)
        for index in range(measurement.n_seeds)
    ]
    return [run for run in runs if run]


def check_comparison(
    lineage: Lineage,
    where: str,
    comparison: Comparison,
    order: Sequence[str],
    trials: tuple[Trial | None, Trial | None],
    *,
    complete: bool = True,
) -> Iterator[str]:
    """Yield what is wrong with one comparison at its place in the ledger.

    Args:
        lineage: What the ledger said before this entry.
        where: Begins each line.
        comparison: What was measured.
        order: The sides in the order in which they must have been measured.
        trials: Whose recipes they are; None for the trial that this entry records, and for the start.
        complete: Whether nothing ended early; a fault leaves the order's beginning.
    """
    sides = [turn.side for turn in comparison.turns]
    expected = list(order) if complete else list(order)[: len(sides)]
    if sides != expected:
        pairs = zip(sides, expected, strict=False)
        first = next((i for i, (did, must) in enumerate(pairs, 1) if did != must), min(len(sides), len(expected)) + 1)
        yield f"{where} was measured out of order: {len(sides)} turns for {len(expected)}, turn {first} is another one"
    if any(later.began < earlier.began for earlier, later in itertools.pairwise(comparison.turns)):
        yield f"{where} has turns that begin before the ones that they follow"
    # Blocks that ended in their first turn have nobody to share with.
    if comparison.shared_seeds != _shares(comparison) and (complete or comparison.reference):
        yield f"{where} does not share the seeds that it says"
    for side, measurement in (("candidate", comparison.candidate), ("reference", comparison.reference)):
        if measurement is None:
            if side in sides:
                yield f"{where} has turns of a reference that it did not measure"
            continue
        if measurement.n_seeds != sides.count(side):
            yield f"{where}: its {side} has {measurement.n_seeds} seeds in {sides.count(side)} turns"
        trial = trials[side == "reference"]
        yield from _check_measurement(lineage, f"{where}: its {side}", measurement, trial, complete=complete)


def _check_measurement(
    lineage: Lineage, where: str, measurement: Measurement, trial: Trial | None, *, complete: bool
) -> Iterator[str]:
    task, n_seeds = lineage.task, measurement.n_seeds
    drawn = measurement.trial_seeds
    if len(drawn) != n_seeds:
        yield f"{where} has {n_seeds} seeds of {len(drawn)} draws: one of each is asked for"
    elif measurement.box_seeds != tuple(derive_seed(seed, 0) for seed in drawn):
        yield f"{where} has seeds that do not follow from what was drawn"
    if trial and trial.measurement and trial.measurement.source_bytes != measurement.source_bytes:
        first, then = trial.measurement.source_bytes, measurement.source_bytes
        yield f"{where} has a source of {then} bytes, and {first} in trial {trial.number:04d}: another recipe"
    if lineage.calibrations and measurement.clock != lineage.clock:
        yield f"{where} was timed on the {measurement.clock} clock, the campaign's is {lineage.clock}"
    if not complete:
        if any(count > n_seeds for count in measurement.count_values().values()):
            yield f"{where} has more values than seeds"
        return
    if measurement.count_values() != dict.fromkeys(task.evaluator.metrics, n_seeds):
        yield f"{where} lacks values of the metrics that the manifest declares, or has others"
    runs = sorted(
        (run.phase, -1 if run.seed_index is None else run.seed_index, run.exit_status) for run in measurement.phases
    )
    if runs != sorted((phase.name, index, "ok") for phase in task.phases for index in range(n_seeds)):
        yield f"{where} lacks a run of a phase that went well, one for each seed, or has others"
