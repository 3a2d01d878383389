"""Cost: what a trial of a campaign takes in seeds and slot time, and which gain it would see."""

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Record
from lineage_repo.record.claims import price
from lineage_repo.record.index import Index
from lineage_repo.verdict import power, rules
from lineage_repo.verdict.proofs import planned_blocks


class Cost(Record):
    """Seeds of both sides that the judge's rule takes, on average where it stops early."""

    null_trial: float
    """A trial that gains nothing."""
    keep: int
    """A trial that moves the head."""
    replication: tuple[int, int]
    """From one decided at its first look to one decided at its last."""
    certification: int


def estimate_cost(task: Task) -> Cost:
    """Return what trials and proofs of a task cost."""
    rule = task.judge
    looks = planned_blocks(task, "replicated")
    head = 1 if rule.rule == "paired" else 0
    any_seeds = task.n_seeds if rule.rule == "any" else 0
    return Cost(
        null_trial=any_seeds or power.null_cost(rule),
        keep=any_seeds or rule.screen_seeds + head + 2 * rule.blocks,
        replication=(2 * looks[0], 2 * looks[-1]),
        certification=2 * planned_blocks(task, "certified")[-1],
    )


def find_smallest_gain(index: Index) -> float:
    """Return the gain, in the objective's unit, that a trial finds with a probability of 80 %."""
    task = index.task
    spread = index.noise(task).get(task.objective.metric)
    if spread is None:
        return task.objective.min_delta
    if index.standing and index.tip:
        recent = rules.find_recent(task.judge, index.window_at(index.standing.head, index.tip), spread)
        spread = rules.find_spread(recent, spread)
    # A shared seed helps the blocks, not the screen, so this is the upper end.
    return power.smallest_gain_over(task.judge, spread.sd, task.objective.min_delta, task.n_seeds)


def seed_seconds(index: Index) -> float:
    """Return the slot seconds of one seed of the start; 0 before a calibration."""
    total = price([c.comparison for c in index.calibrations])
    return total.slot_s / total.seeds if total.seeds else 0.0
