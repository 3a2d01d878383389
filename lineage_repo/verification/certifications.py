"""Check certifications: a second measurement is evidence only if it is fresh, complete and of the recorded recipes."""

from collections.abc import Iterator

from lineage_repo.model.ledger import Certification, Trial
from lineage_repo.model.manifest import MIN_CERTIFICATION_SEEDS
from lineage_repo.model.measurement import Measurement
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.certification import compare_recipes


def check_certification(lineage: Lineage, where: str, entry: Certification) -> Iterator[str]:
    """Yield what is wrong with a certification at its place in the ledger; `where` begins each line."""
    numbers = (entry.number, entry.against)
    where = f"{where}: its comparison of {entry.number:04d} with {entry.against:04d}"
    if entry.number == entry.against:
        yield f"{where} is of a trial with itself"
    if missing := [n for n in numbers if n not in lineage.trials]:
        yield f"{where} measures trial {missing[0]:04d} again, not recorded then"
        return
    used = _collect_seeds(lineage)
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


def _collect_seeds(lineage: Lineage) -> set[int]:
    """Return every trial seed of the recorded measurements."""
    measurements = [c.measurement for c in lineage.calibrations]
    measurements += [t.measurement for t in lineage.trials.values() if t.measurement]
    measurements += [m for entry in lineage.certifications for m in entry.measurements]
    return {seed for measurement in measurements for seed in measurement.trial_seeds}


def _check_measurement(
    lineage: Lineage, where: str, trial: Trial, measurement: Measurement, used: set[int]
) -> Iterator[str]:
    task, n_seeds, trial_seeds = lineage.task, len(measurement.box_seeds), set(measurement.trial_seeds)
    if len(trial_seeds) < MIN_CERTIFICATION_SEEDS or len(trial_seeds) != len(measurement.trial_seeds):
        asked = f"at least {MIN_CERTIFICATION_SEEDS} are asked for, each once"
        yield f"{where} was measured with {len(trial_seeds)} distinct draws: {asked}"
    if n_seeds != len(measurement.trial_seeds) or len(set(measurement.box_seeds)) != n_seeds:
        draws = len(measurement.trial_seeds)
        yield f"{where} has {n_seeds} seeds of {draws} draws: one of each is asked for, none twice"
    if reused := trial_seeds & used:
        yield f"{where} was measured with the seed {min(reused)}, which an earlier measurement drew: not a fresh one"
    if trial.measurement and trial.measurement.source_bytes != measurement.source_bytes:
        first, then = trial.measurement.source_bytes, measurement.source_bytes
        yield f"{where} has a source of {then} bytes, and {first} in its own measurement: another recipe"
    if measurement.count_values() != dict.fromkeys(task.evaluator.metrics, n_seeds):
        yield f"{where} lacks values of the metrics that the manifest declares, or has others"
    runs = sorted(
        (run.phase, -1 if run.seed_index is None else run.seed_index, run.exit_status) for run in measurement.phases
    )
    if runs != sorted((phase.name, index, "ok") for phase in task.phases for index in range(n_seeds)):
        yield f"{where} lacks a run of a phase that went well, one for each seed, or has others"
