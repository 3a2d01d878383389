"""Trials and proofs with made-up values, judged and recorded as real ones are."""

from collections.abc import Sequence
from datetime import UTC, datetime

from lineage_repo.model.ledger import Proof, ProofLevel, Proposal
from lineage_repo.model.measurement import Comparison, Fault, Measurement, PhaseRun, Status, Turn
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.proofs import count_missing_blocks

_BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
_JITTER = (0.0, 0.004, -0.003, 0.002)
"""Added to the values of a recipe in turn, so that it has a spread of its own."""
ISOLATION = {"level": "bwrap"}


def measurement(errors: Sequence[float], seconds: float = 0.1) -> Measurement:
    """Measure a recipe of the toy task: one value of `error` per seed."""
    phases = tuple(
        PhaseRun(phase=p, seed_index=i, exit_status="ok", elapsed_s=0.1, wall_s=seconds, setup_s=0.0)
        for i in range(len(errors))
        for p in ("fit", "predict")
    )
    seeds = tuple(range(len(errors)))
    metrics = {"error": tuple(errors), "worst": (0.1,) * len(errors)}
    return Measurement(
        trial_seeds=seeds, box_seeds=seeds, metrics=metrics, phases=phases, source_bytes=12, clock="wall"
    )


def _values(error: float, n: int) -> list[float]:
    return [error + _JITTER[i % len(_JITTER)] for i in range(n)]


def screen(lineage: Lineage, error: float) -> Comparison:
    """A screen against the head: two seeds of the candidate and one of the head, in turn."""
    assert lineage.standing
    head, ledger = lineage.standing.head, lineage.tip or ""
    sides = ("candidate", "reference", "candidate")
    return Comparison(
        against=head,
        ledger=ledger,
        window=lineage.window_at(head, ledger),
        candidate=measurement(_values(error, 2)),
        reference=measurement(_values(score_of(lineage, head), 1)),
        turns=tuple(Turn(side=side, began=_BEGAN) for side in sides),  # type: ignore[arg-type]
    )


def blocks(lineage: Lineage, error: float, against: int, n: int, reference: float | None = None) -> Comparison:
    """Blocks against a trial, whose error is its score or `reference`."""
    theirs = score_of(lineage, against) if reference is None else reference
    order = ("candidate", "reference", "reference", "candidate")
    return Comparison(
        against=against,
        ledger=lineage.tip,
        candidate=measurement(_values(error, n)),
        reference=measurement([theirs + jitter for jitter in reversed(_values(0.0, n))]),
        turns=tuple(Turn(side=order[i % 4], began=_BEGAN) for i in range(2 * n)),  # type: ignore[arg-type]
    )


def score_of(lineage: Lineage, number: int) -> float:
    score = lineage.trial(number).score
    assert score is not None
    return score


def propose(lineage: Lineage, *, parent: int | None = None, body: bytes = b"", **changed: object) -> Proposal:
    """A proposal on the head, or on `parent`."""
    body = body or f"x = {len(lineage.registered)}\n".encode()
    fields: dict[str, object] = {
        "parent": parent if parent is not None else lineage.standing.head if lineage.standing else 0,
        "title": "try x",
        "hypothesis": "A change that should help a little.",
        "expected_delta": -0.1,
        "specialist": "opt",
        "session": "s1",
        "recipe_tree": lineage.store.write_tree({"fit.py": body, "lib/part.py": b"y = 2\n"}),
    }
    return Proposal.model_validate({**fields, **changed})


def attempt(lineage: Lineage, error: float | None = None, **claimed: object) -> int:
    """Record a trial that measures this error, with blocks where its screen is passed, or crashes; return its number.

    The start's error is about 0.48, and a gain of 0.03 is beyond doubt.
    """
    lineage.refresh()
    number = lineage.register(propose(lineage, **claimed), lineage.campaign.digests, lambda _: None)  # type: ignore[arg-type]
    fault = None if error is not None else Fault(status=Status.CRASH, failure="train exited 3")
    seen = [] if error is None else [screen(lineage, error)]
    while lineage.record(number, seen, fault, attempts=1, isolation=ISOLATION) is None:
        assert error is not None
        assert lineage.standing
        seen.append(blocks(lineage, error, lineage.standing.head, lineage.task.judge.blocks))
    return number


def prove(lineage: Lineage, level: ProofLevel, gain: float, *, fault: Fault | None = None) -> Proof:
    """Replicate the head against the anchor, or certify it against the start, with this gain measured."""
    standing = lineage.refresh().standing
    assert standing
    against = standing.anchor if level == "replicated" else 0
    entry = lineage.register_proof(level, standing.head, against, lambda _: None)
    theirs = score_of(lineage, against)
    seen: list[Comparison] = []
    while not fault and (n := count_missing_blocks(lineage.task, entry, seen)):
        seen.append(blocks(lineage, theirs - gain, against, n, theirs))
    return lineage.record_proof(entry.proof, seen, fault, ISOLATION)
