"""Proofs: replications and certifications, judged as pure functions, so that `verify` can replay them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lineage_repo.model.comparison import Comparison, Outcome
from lineage_repo.model.ledger import Proof, ProofRegistration
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import LEVELS, Fault, Measurement, Spread, Status, pool_measurements
from lineage_repo.verdict import rules
from lineage_repo.verdict.judge import paired_gains
from lineage_repo.verdict.margins import gate_margin, values_per_seed


def planned_blocks(task: Task, level: str) -> tuple[int, ...]:
    """Return after how many blocks a proof looks at its gain; a certification once, with a trial's seeds at least."""
    if level == "replicated":
        return task.judge.replicated_blocks
    return (max(task.judge.certified_blocks, task.n_seeds),)


def compared_metric(task: Task, level: str) -> str:
    """Return what a proof compares: a certification the reserved metric, where the task has one."""
    return (task.objective.reserved if level == "certified" else None) or task.objective.metric


def count_missing_blocks(
    task: Task, registration: ProofRegistration, comparisons: Sequence[Comparison], noise: Mapping[str, Spread]
) -> int:
    """Return how many blocks the proof needs next: up to its first look or the next one; 0 if it is decided."""
    done = sum(c.candidate.n_seeds for c in comparisons)
    if done in registration.blocks[:-1]:
        if registration.level == "replicated" and _replicate(task, comparisons, noise)[0] is not None:
            return 0
        return registration.blocks[registration.blocks.index(done) + 1] - done
    return next((look for look in registration.blocks if look > done), done) - done


def judge_proof(
    task: Task,
    registration: ProofRegistration,
    k: int,
    comparisons: Sequence[Comparison],
    fault: Fault | None,
    noise: Mapping[str, Spread],
    isolation: dict[str, str],
    at: datetime,
) -> Proof:
    """Return the entry that ends a proof.

    Args:
        task: The manifest.
        registration: What was asked, before the first seed.
        k: How many proofs of this level were registered up to this one.
        comparisons: The blocks, in time order.
        fault: Why there are no more; one of the recipe in question refutes its replication.
        noise: Metric to its calibrated spread, for the spread that a recipe must have of its own.
        isolation: What the record says of the boxes that measured.
        at: Time of the entry.
    """
    level = registration.level
    metric = compared_metric(task, level)
    done = sum(c.candidate.n_seeds for c in comparisons) if fault is None else 0
    gains = paired_gains(task, *comparisons, metric=metric) if done > 1 else []
    p = rules.certificate(task.judge, gains, k).p if level == "certified" and gains else None
    outcome, failure = _decide(task, registration, k, gains, comparisons, fault, noise)
    return Proof(
        proof=registration.proof,
        level=level,
        number=registration.number,
        against=registration.against,
        metric=metric,
        comparisons=tuple(comparisons),
        outcome=outcome,
        gain=rules.paired_gain(gains) if gains else None,
        p=p,
        fault=fault,
        failure=failure,
        isolation=isolation,
        at=at,
    )


def _decide(
    task: Task,
    registration: ProofRegistration,
    k: int,
    gains: Sequence[float],
    comparisons: Sequence[Comparison],
    fault: Fault | None,
    noise: Mapping[str, Spread],
) -> tuple[Outcome, str | None]:
    if fault:
        if fault.status is Status.HARNESS_ABORT:
            return Outcome.ABORTED, fault.failure
        return Outcome.REFUTED if registration.level == "replicated" else Outcome.REFUSED, fault.failure
    if not gains or count_missing_blocks(task, registration, comparisons, noise):
        return Outcome.ABORTED, "it has fewer blocks than it needs"
    if registration.level == "replicated":
        outcome, refusal = _replicate(task, comparisons, noise)
        return outcome or Outcome.OPEN, refusal
    if refusal := find_refusal(task, pool_measurements([c.candidate for c in comparisons]), noise):
        return Outcome.REFUSED, refusal
    return Outcome.PASSED if rules.certificate(task.judge, gains, k).passed else Outcome.OPEN, None


def _replicate(
    task: Task, comparisons: Sequence[Comparison], noise: Mapping[str, Spread]
) -> tuple[Outcome | None, str | None]:
    """Return the outcome of a replication at a look, and why it is refused; no outcome where it goes on."""
    candidate = pool_measurements([c.candidate for c in comparisons])
    # A bound over a replication's few seeds would miss good recipes: its gates are asked of the mean.
    means = task.model_copy(update={"gates": [gate.model_copy(update={"rule": "mean"}) for gate in task.gates]})
    if refusal := find_refusal(means, candidate, noise):
        return Outcome.REFUSED, refusal
    return rules.replicate(task.judge, paired_gains(task, *comparisons)), None


def find_refusal(task: Task, candidate: Measurement, noise: Mapping[str, Spread]) -> str | None:
    """Return why a recipe cannot be proven, whatever it gains: a missed gate, or no spread of its own."""
    values = values_per_seed(task, candidate)
    missed = [
        g
        for g in (gate_margin(gate, values[gate.metric], noise.get(gate.metric)) for gate in task.gates)
        if g.margin < 0
    ]
    if missed:
        return "; ".join(f"misses the gate {m.name} {m.limit:g} by {-m.margin:.2g}" for m in missed)
    return find_pinned_seed(task, candidate, noise)


def find_pinned_seed(task: Task, candidate: Measurement, noise: Mapping[str, Spread]) -> str | None:
    """Return why a recipe's luck can't be told from a gain: its values hardly vary over seeds; None where they do."""
    metric, values = task.objective.metric, values_per_seed(task, candidate)
    if metric in noise and not rules.has_own_spread(values[metric], noise[metric]):
        return (
            f"{metric} hardly varies over {candidate.n_seeds} seeds, the start's has sd {noise[metric].sd:.3g}: "
            "the recipe pins its seed, so its luck can't be told from a gain"
        )
    return None


def weakest(isolations: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return what isolated boxes least."""
    known = [i for i in isolations if i.get("level") in LEVELS]
    return min(known, key=lambda i: [*LEVELS].index(i["level"])) if known else {"level": "not run"}  # type: ignore[arg-type]
