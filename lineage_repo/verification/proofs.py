"""Check proofs and demotions: registered first, measured in turn on fresh seeds, and judged as the rules say."""

import itertools
from collections.abc import Iterator

from lineage_repo.model.ledger import Demotion, Proof, ProofRegistration
from lineage_repo.model.measurement import Measurement, Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict import rules
from lineage_repo.verdict.judge import paired_gains
from lineage_repo.verdict.proofs import count_missing_blocks, judge_proof, planned_blocks
from lineage_repo.verification.comparisons import check_comparison


def check_registration(lineage: Lineage, where: str, entry: ProofRegistration) -> Iterator[str]:
    """Yield what is wrong with the registration of a proof at its place in the ledger."""
    where = f"{where}: proof {entry.proof}"
    if entry.proof != len(lineage.proofs_registered) + 1:
        yield f"{where} comes where {len(lineage.proofs_registered) + 1} is next"
    if running := lineage.running_proof():
        yield f"{where} was registered while proof {running.proof} was running"
    if entry.number == entry.against:
        yield f"{where} is of a trial with itself"
    if missing := [
        n for n in (entry.number, entry.against) if n not in lineage.trials or lineage.trials[n].score is None
    ]:
        yield f"{where} measures trial {missing[0]:04d} again, which had no score then"
    if entry.blocks != planned_blocks(lineage.task, entry.level):
        yield f"{where} plans {entry.blocks} blocks, the manifest {planned_blocks(lineage.task, entry.level)}"
    standing = lineage.standing
    if entry.level == "replicated" and standing and (entry.number, entry.against) != (standing.head, standing.rival):
        yield f"{where} does not test the head {standing.head:04d} against the anchor {standing.anchor:04d}"


def check_proof(lineage: Lineage, where: str, entry: Proof) -> Iterator[str]:
    """Yield what is wrong with a proof that ends at its place in the ledger."""
    where = f"{where}: proof {entry.proof}"
    registration = lineage.proofs_registered.get(entry.proof)
    if registration is None or entry.proof in lineage.proofs:
        yield f"{where} was never registered, or ended before"
        return
    if (entry.level, entry.number, entry.against) != (registration.level, registration.number, registration.against):
        yield f"{where} is another one than was registered"
        return
    trials = (lineage.trials.get(entry.number), lineage.trials.get(entry.against))
    if None in trials:
        return
    ended_early = entry.fault is not None
    for place, comparison in enumerate(entry.comparisons):
        name = f"{where}, blocks {place + 1}"
        if comparison.against != entry.against:
            yield f"{name} are against another trial than was registered"
        if lineage.proof_registered_after(entry.proof, comparison.ledger or ""):
            yield f"{name} began before the proof was registered"
        elif comparison.shared_seeds != lineage.shares_seeds(comparison.ledger):
            yield f"{name} share seeds, or do not, other than the calibrations say"
        # A strand that left nothing shifts the places of those after it.
        first = comparison.turns[0].side if ended_early else rules.first_side(place)
        order = rules.order_blocks((len(comparison.turns) + 1) // 2, first=first)
        yield from check_comparison(lineage, name, comparison, order, trials, complete=not ended_early)
    if ended_early:
        yield from _check_fault(lineage, where, registration, entry)
    else:
        yield from _check_looks(lineage, where, registration, entry)
    yield from _replay(lineage, where, registration, entry)


def _check_looks(lineage: Lineage, where: str, registration: ProofRegistration, entry: Proof) -> Iterator[str]:
    """A proof stops at the first look that decides it, and at no other."""
    task = lineage.task
    noise = lineage.noise_of_proof(entry.proof)
    ends = set(itertools.accumulate(comparison.candidate.n_seeds for comparison in entry.comparisons))
    if passed := [look for look in registration.blocks if look < max(ends, default=0) and look not in ends]:
        yield f"{where} passed over its look at {passed[0]} blocks"
    if count_missing_blocks(task, registration, entry.comparisons, noise):
        yield f"{where} ended before it was decided"
    done, gains = 0, paired_gains(task, *entry.comparisons)
    for place, comparison in enumerate(entry.comparisons, 1):
        done += comparison.candidate.n_seeds
        if done >= len(gains) or done not in registration.blocks:
            continue
        if not count_missing_blocks(task, registration, entry.comparisons[:place], noise):
            yield f"{where} went on after its look at {done} blocks, which decided it"


def _check_fault(lineage: Lineage, where: str, registration: ProofRegistration, entry: Proof) -> Iterator[str]:
    """A fault of the recipe left a seed without values, one of the harness left the proof undecided."""
    complete = [c for c in entry.comparisons if all(_is_complete(lineage, m) for m in c.measurements)]
    if entry.fault and entry.fault.status is not Status.HARNESS_ABORT:
        if not entry.comparisons or (
            _is_complete(lineage, entry.comparisons[-1].candidate) and len(complete) == len(entry.comparisons)
        ):
            yield f"{where} says that the recipe failed, and every seed that it measured has its values"
    elif complete and not count_missing_blocks(
        lineage.task, registration, complete, lineage.noise_of_proof(entry.proof)
    ):
        yield f"{where} was aborted, although its blocks had decided it"


def _is_complete(lineage: Lineage, measurement: Measurement) -> bool:
    metrics = lineage.task.evaluator.metrics
    return measurement.count_values() == dict.fromkeys(metrics, measurement.n_seeds)


def _replay(lineage: Lineage, where: str, registration: ProofRegistration, entry: Proof) -> Iterator[str]:
    k, noise = lineage.count_proofs(registration.level, entry.proof), lineage.noise_of_proof(entry.proof)
    again = judge_proof(lineage.task, registration, k, entry.comparisons, entry.fault, noise, entry.isolation, entry.at)
    if not entry.alike(again):
        yield f"{where} says {entry.outcome}, which its blocks do not replay to"
    if entry.at < registration.at:
        yield f"{where} ended before it was registered"


def check_demotion(lineage: Lineage, where: str, entry: Demotion) -> Iterator[str]:
    """Yield what is wrong with a demotion at its place in the ledger."""
    cause, standing = lineage.find_due_demotion(), lineage.standing
    head = standing.find_fall(cause.number, failed=cause.fault is not None) if cause and standing else None
    if cause is None or standing is None or cause.proof != entry.proof:
        yield f"{where}: no replication that found no gain precedes the demotion of {entry.number:04d}"
    elif (entry.number, entry.head) != (standing.head, head):
        pair = f"{standing.head:04d} to {standing.anchor if head is None else head:04d}"
        yield f"{where}: demotes {entry.number:04d} to {entry.head:04d}, not {pair}"
