"""The numbers of one trial, whoever measured it."""

from statistics import fmean

from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin
from lineage_repo.record.claims import price
from lineage_repo.record.index import Index
from lineage_repo.verdict.margins import values_per_seed


def collect_values(task: Task, trial: Trial) -> dict[str, float]:
    """Return every number that was recorded; for our own trials, means over seeds."""
    if trial.imported:
        return dict(trial.imported.values)
    if trial.measurement is None:
        return {}
    return {name: fmean(values) for name, values in values_per_seed(task, trial.measurement).items() if values}


def collect_margins(task: Task, trial: Trial) -> dict[str, Margin]:
    """Return the margin to each limit and gate by name; gates that share a metric get different names."""
    return {_name_margin(task, margin): margin for margin in trial.verdict.margins}


def _name_margin(task: Task, margin: Margin) -> str:
    gates = [gate for gate in task.gates if gate.metric == margin.name]
    if len(gates) < 2:
        return margin.name
    least = margin.margin == margin.value - margin.limit
    return f"{margin.name} {'at least' if least else 'at most'} {margin.limit:g}"


def compute_slot_seconds(trial: Trial) -> float | None:
    """Return the seconds that boxes and evaluator took for both sides, or those that an import gives; None if unknown.

    Those of the start are its calibration's.
    """
    if trial.imported:
        return trial.imported.slot_s
    return price(trial.comparisons).slot_s if trial.comparisons else None


def find_gain_over_parent(lineage: Index, trial: Trial) -> Interval | None:
    """Return what a trial gained over the trial that it edits; None where the two were not compared.

    They were if the parent was the head, or if both were imported: then scores are all there is, without an interval.
    """
    parent = lineage.trials.get(-1 if trial.proposal.parent is None else trial.proposal.parent)
    if parent is None:
        return None
    if trial.imported and trial.score is not None and parent.score is not None:
        return Interval(mean=lineage.task.objective.gain(trial.score, parent.score), n=trial.n_seeds)
    return trial.verdict.gain if trial.verdict.against == parent.number and not trial.imported else None
