"""The numbers of one trial, whoever measured it."""

from statistics import fmean

from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin
from lineage_repo.verdict.judge import values_per_seed


def collect_values(task: Task, trial: Trial) -> dict[str, float]:
    """Every number that was recorded, the mean over seeds for our own trials."""
    if trial.imported:
        return dict(trial.imported.values)
    if trial.measurement is None:
        return {}
    return {name: fmean(found) for name, found in values_per_seed(task, trial.measurement).items() if found}


def collect_margins(task: Task, trial: Trial) -> dict[str, Margin]:
    """The room under each limit and gate, by a name of its own: gates that share a metric are told apart."""
    return {_label(task, margin): margin for margin in trial.verdict.margins}


def _label(task: Task, margin: Margin) -> str:
    gates = [gate for gate in task.gates if gate.metric == margin.name]
    if len(gates) < 2:
        return margin.name
    least = margin.margin == margin.value - margin.limit
    return f"{margin.name} {'at least' if least else 'at most'} {margin.limit:g}"


def compute_slot_seconds(trial: Trial) -> float | None:
    """Wall seconds that the trial held its slot: boxes and evaluator, or what the other harness says; else None."""
    if trial.imported:
        return trial.imported.slot_s
    if trial.measurement is None:
        return None
    boxes = sum(run.wall_s + run.setup_s for run in trial.measurement.phases)
    return boxes + trial.measurement.evaluator_s
