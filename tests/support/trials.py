"""Trials of the toy task as a runner would record them, without running a box: their values are made up here."""

import random
import secrets
from collections.abc import Sequence
from datetime import timedelta

from lineage_repo.model.comparison import Comparison, Side, Turn
from lineage_repo.model.ledger import Proposal, Trial
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, Status, derive_seed, now
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict import rules
from lineage_repo.verdict.judge import find_hopeless_bound, screen_values
from lineage_repo.verdict.proofs import count_missing_blocks

SOURCE_BYTES = 12
SPREAD = 0.004
_JITTER = random.Random(1)


def proposal(
    lineage: Lineage,
    *,
    parent: int = 0,
    title: str = "try x",
    hypothesis: str = "A change that should help a little.",
    body: bytes | None = None,
    specialist: str = "opt",
) -> Proposal:
    """A proposal with a recipe of its own."""
    content = body or f"x = {secrets.randbits(30)}\n".encode()
    return Proposal(
        parent=parent,
        title=title,
        hypothesis=hypothesis,
        expected_delta=-0.1,
        specialist=specialist,
        session="s1",
        recipe_tree=lineage.store.write_tree({"fit.py": content, "lib/part.py": b"y = 2\n"}),
    )


def measure(errors: Sequence[float], trial_seeds: Sequence[int], source_bytes: int = SOURCE_BYTES) -> Measurement:
    """One seed for each error; no two runs take the same time, in whatever process they are made up."""
    phases = tuple(
        PhaseRun(
            phase=phase,
            seed_index=index,
            exit_status="ok",
            elapsed_s=times.uniform(0.1, 0.2),
            wall_s=times.uniform(0.1, 0.2),
            setup_s=times.uniform(0.1, 0.2),
        )
        for index, error in enumerate(errors)
        for times in [random.Random(f"{trial_seeds[index]} {error}")]
        for phase in ("fit", "predict")
    )
    return Measurement(
        trial_seeds=tuple(trial_seeds),
        box_seeds=tuple(derive_seed(seed, 0) for seed in trial_seeds),
        metrics={"error": tuple(errors), "worst": (0.1,) * len(errors)},
        phases=phases,
        source_bytes=source_bytes,
        clock="wall",
    )


def compare(lineage: Lineage, order: Sequence[Side], error: float, against: int, *, screen: bool = False) -> Comparison:
    """A comparison of a recipe whose true error is `error` with a recorded trial, measured in this order."""
    sides = {side: [s for s in order if s == side] for side in ("candidate", "reference")}
    reference = lineage.trials[against]
    level = true_error(reference)
    shared = not screen and lineage.shares_seeds()
    n_ours, n_theirs = len(sides["candidate"]), len(sides["reference"])
    seeds = [secrets.randbits(63) for _ in range(n_ours + n_theirs)]
    drawn, theirs = seeds[:n_ours], seeds[:n_theirs] if shared else seeds[n_ours:]
    started = now()
    size = reference.measurement.source_bytes if reference.measurement else SOURCE_BYTES
    ledger = lineage.tip or ""
    return Comparison(
        against=against,
        shared_seeds=shared,
        ledger=ledger,
        window=lineage.window_at(against, ledger) if screen else (),
        candidate=measure([_scatter(error) for _ in drawn], drawn),
        reference=measure([_scatter(level) for _ in theirs], theirs, size) if sides["reference"] else None,
        turns=tuple(Turn(side=side, began=started + timedelta(seconds=i)) for i, side in enumerate(order)),
    )


def true_error(trial: Trial) -> float:
    """About the error that a made-up trial was submitted with."""
    assert trial.score is not None
    return trial.score


def _scatter(error: float) -> float:
    return error + _JITTER.gauss(0, SPREAD)


def submit(lineage: Lineage, error: float | None = None, fault: Fault | None = None, **claimed: object) -> int:
    """Register and record a trial whose true error is `error`, or one that crashes; return its number."""
    number = lineage.register(proposal(lineage, **claimed), lineage.campaign.digests, lambda _: None)  # type: ignore[arg-type]
    finish(lineage, number, error, fault)
    return number


def finish(lineage: Lineage, number: int, error: float | None, fault: Fault | None = None) -> Trial:
    """Record a registered trial as its runner would: a screen, then blocks for as long as they are due."""
    isolation = {"level": "bwrap"}
    if error is None or fault:
        crash = fault or Fault(status=Status.CRASH, failure="train exited 3")
        recorded = lineage.record(number, (), crash, attempts=1, isolation=isolation)
        assert recorded
        return recorded
    task = lineage.task
    order = rules.order_screen(task.judge, number, task.n_seeds)
    comparisons = [_stop_early(lineage, compare(lineage, order, error, _head(lineage), screen=True))]
    while (trial := lineage.record(number, comparisons, None, attempts=1, isolation=isolation)) is None:
        comparisons.append(compare(lineage, rules.order_blocks(task.judge.blocks), error, _head(lineage)))
    return trial


def _head(lineage: Lineage) -> int:
    standing = lineage.refresh().standing
    assert standing
    return standing.head


def _stop_early(lineage: Lineage, screen: Comparison) -> Comparison:
    """Cut a screen after its first seed where the rule does."""
    bound = find_hopeless_bound(lineage.task, screen_values(lineage.task, screen), lineage.noise(lineage.task))
    first = screen.candidate.metrics["error"][0]
    if bound is None or lineage.task.objective.gain(first, bound) >= 0:
        return screen
    alone = measure([first], screen.candidate.trial_seeds[:1])
    turns = screen.turns[: 1 + (screen.reference is not None)]
    return screen.model_copy(update={"candidate": alone, "turns": turns})


def prove(lineage: Lineage, level: str = "replicated", error: float | None = None) -> int:
    """Register and record a replication of the head, or a certification of the anchor; return the proof's number."""
    standing = lineage.refresh().standing
    assert standing
    pair = (standing.head, standing.anchor) if level == "replicated" else (standing.anchor, 0)
    entry = lineage.register_proof(level, *pair, lambda _: None)  # type: ignore[arg-type]
    candidate = lineage.trials[pair[0]]
    comparisons: list[Comparison] = []
    while blocks := count_missing_blocks(lineage.task, entry, comparisons, lineage.noise(lineage.task)):
        true = true_error(candidate) if error is None else error
        comparisons.append(compare(lineage, rules.order_blocks(blocks), true, pair[1]))
    lineage.record_proof(entry.proof, comparisons, None, {"level": "bwrap"})
    return entry.proof
