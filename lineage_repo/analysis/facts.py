"""The numbers of one trial, whoever measured it."""

from statistics import fmean

from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin
from lineage_repo.verdict.judge import values_per_seed


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
    """Return the wall seconds of boxes and evaluator, or those that an import gives; None if unknown."""
    if trial.imported:
        return trial.imported.slot_s
    if trial.measurement is None:
        return None
    boxes = sum(run.wall_s + run.setup_s for run in trial.measurement.phases)
    return boxes + trial.measurement.evaluator_s
