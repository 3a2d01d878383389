"""Replications as evidence: what a second measurement must be to prove anything, beside its arithmetic."""

from collections.abc import Iterator

from lineage_repo.model.ledger import Certification, Trial
from lineage_repo.model.manifest import MIN_CERTIFICATION_SEEDS
from lineage_repo.model.measurement import Measurement
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.certification import compare_recipes


def check(lineage: Lineage, where: str, entry: Certification) -> Iterator[str]:
    """What is wrong with a replication at its place in the ledger."""
    numbers = (entry.number, entry.against)
    where = f"{where}: its comparison of {entry.number:04d} with {entry.against:04d}"
    if entry.number == entry.against:
        yield f"{where} is of a trial with itself"
    if lost := [n for n in numbers if n not in lineage.trials]:
        yield f"{where} measures trial {lost[0]:04d} again, not recorded then"
        return
    used = _drawn(lineage)
    for number, measurement in zip(numbers, entry.measurements, strict=True):
        trial = lineage.trials[number]
        if entry.at < trial.at:
            yield f"{where} is older than trial {number:04d}"
        yield from _check_measurement(lineage, f"{where}: trial {number:04d}", trial, measurement, used)
    noise, earlier = lineage.noise(lineage.task), len(lineage.certifications)
    again = compare_recipes(
        lineage.task, numbers, entry.measurements, noise, entry.isolation, entry.at, earlier=earlier
    )
    if not entry.alike(again):
        yield f"{where} is not what its measurements give"


def _drawn(lineage: Lineage) -> set[int]:
    """Every seed that the harness drew for a measurement that is recorded."""
    known = [c.measurement for c in lineage.calibrations]
    known += [t.measurement for t in lineage.trials.values() if t.measurement]
    known += [m for entry in lineage.certifications for m in entry.measurements]
    return {seed for measurement in known for seed in measurement.trial_seeds}


def _check_measurement(
    lineage: Lineage, where: str, trial: Trial, measurement: Measurement, used: set[int]
) -> Iterator[str]:
    task, seeds, drawn = lineage.task, len(measurement.box_seeds), set(measurement.trial_seeds)
    if len(drawn) < MIN_CERTIFICATION_SEEDS or len(drawn) != len(measurement.trial_seeds):
        yield f"{where} was measured with {len(drawn)} distinct draws: at least {MIN_CERTIFICATION_SEEDS} are asked for, each once"
    if seeds != len(measurement.trial_seeds) or len(set(measurement.box_seeds)) != seeds:
        yield f"{where} has {seeds} seeds of {len(measurement.trial_seeds)} draws: one of each is asked for, none twice"
    if again := drawn & used:
        yield f"{where} was measured with the seed {min(again)}, which an earlier measurement drew: not a fresh one"
    if trial.measurement and trial.measurement.source_bytes != measurement.source_bytes:
        first, then = trial.measurement.source_bytes, measurement.source_bytes
        yield f"{where} weighed {then} bytes, in its own measurement {first}: another recipe"
    if measurement.values_per_metric() != dict.fromkeys(task.evaluator.metrics, seeds):
        yield f"{where} lacks values of the metrics that the manifest declares, or has others"
    runs = sorted(
        (run.phase, -1 if run.seed_index is None else run.seed_index, run.exit_status) for run in measurement.phases
    )
    if runs != sorted((phase.name, index, "ok") for phase in task.phases for index in range(seeds)):
        yield f"{where} lacks a run of a phase that went well, one for each seed, or has others"
