"""What an opening message costs: `python -m benchmarks.brief`.

Prints its characters and the CPU time to render it over a lineage of made-up trials, folded in memory. Half of the
trials have a hypothesis of some 350 characters, the others one of 2,000, the maximum.
"""

import statistics
import tempfile
import time
from pathlib import Path

from agent_client.brief.message import render
from lineage_repo.model.comparison import Comparison, Interval, Turn
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Caps,
    Proposal,
    Registration,
    Trial,
    Verdict,
)
from lineage_repo.model.measurement import Measurement, Status, now
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Row, Store
from lineage_repo.task.find import find_task

_RUNS = 5
_HEX = "0" * 40
_WORDS = [f"{a}{b}" for a in ("rate", "depth", "shift", "warm", "decay", "batch", "loss") for b in "abcdefghijklmnop"]
_FAILED = (Status.CRASH, Status.DISQUALIFIED, Status.TRAIN_BUDGET_OVERRUN)


def main() -> None:
    """Print the table."""
    task = find_task("airbench_cpu").task
    print(f"{'trials':>8} {'characters':>11} {'median CPU s':>13} {'most':>7}")
    with tempfile.TemporaryDirectory() as scratch:
        lineage = Lineage(Store(Path(scratch)))
        lineage.fold(Row(_HEX, None, b""), make_campaign())
        calibration = Calibration(comparison=make_comparison(1.2, None, 10), isolation={}, at=now())
        lineage.fold(Row(_HEX, None, b""), calibration)
        for size in (10, 200, 900, 10_000):
            for number in range(len(lineage.trials), size + 1):
                add_trial(lineage, number, [s.name for s in task.specialists][number % len(task.specialists)])
            times: list[float] = []
            text = ""
            for _ in range(_RUNS):
                begun = time.process_time()
                text = render(lineage, "opt", Path("/campaign/workdirs/opt"), 2, "session").text
                times.append(time.process_time() - begun)
            print(f"{size:8} {len(text):11} {statistics.median(times):13.3f} {max(times):7.3f}")


def make_campaign() -> CampaignEntry:
    """Make the ledger's root of a campaign on the CPU twin, with every role."""
    task = find_task("airbench_cpu").task
    return CampaignEntry(
        name="bench",
        task=task.model_dump(mode="json"),
        arm="roles",
        specialists=tuple(s.name for s in task.specialists),
        caps=Caps(),
        isolation="none",
        start_tree=_HEX,
        digests={},
        at=now(),
    )


def make_comparison(seconds: float, against: int | None, n_seeds: int) -> Comparison:
    """Make what was measured of one recipe: a screen's few seeds, or a calibration's."""
    values = tuple(seconds + i / 100 for i in range(n_seeds))
    metrics = {"accuracy": tuple(0.98 for _ in values), "seconds": values}
    seeds = tuple(range(n_seeds))
    candidate = Measurement(trial_seeds=seeds, box_seeds=seeds, metrics=metrics, phases=(), source_bytes=9, clock="cpu")
    turns = tuple(Turn(side="candidate", began=now()) for _ in seeds)
    return Comparison(against=against, candidate=candidate, turns=turns)


def add_trial(lineage: Lineage, number: int, specialist: str) -> None:
    """Fold one trial: every fortieth is a keep and two thirds of the others failures, as in long searches."""
    status = Status.BASELINE if number == 0 else Status.KEEP if number % 40 == 1 else Status.DISCARD
    if status is Status.DISCARD and number % 3:
        status = _FAILED[number % len(_FAILED)]
    head = lineage.head
    score = 1.2 - number / 20_000 if status.measured else None
    proposal = Proposal(
        parent=head.number if head else None,
        title=make_words(number, 6)[:60],
        hypothesis=make_words(number * 7, 50 if number % 2 else 300)[:2000].strip(),
        expected_delta=-0.01,
        specialist=specialist if number else "start",
        session="bench",
        recipe_tree=_HEX,
    )
    trial = Trial(
        number=number,
        proposal=proposal,
        judge_version=1,
        comparisons=(make_comparison(score, head.number if head else None, 2),) if score is not None else (),
        head=head.number if head else None,
        verdict=make_verdict(status, score, head, make_words(number * 3, 30) if status.failed else None),
        digests={},
        isolation={},
        registered_at=now(),
        at=now(),
    )
    lineage.fold(Row(_HEX, _HEX, b""), Registration(number=number, proposal=proposal, digests={}, at=now()))
    lineage.fold(Row(_HEX, _HEX, b""), trial)


def make_verdict(status: Status, score: float | None, head: Trial | None, failure: str | None) -> Verdict:
    """Make a verdict that fits the status: a keep gains, a discard ties."""
    if score is None or head is None:
        return Verdict(status=status, score=score, failure=failure)
    if status is Status.KEEP:
        gain = Interval(mean=0.002, low=0.001, high=0.003, n=4)
        return Verdict(status=status, score=score, against=head.number, gain=gain, finding="better")
    gain = Interval(mean=-0.001, low=-0.004, high=0.002, n=2)
    return Verdict(status=status, score=score, against=head.number, gain=gain, finding="tie")


def make_words(salt: int, count: int) -> str:
    """`count` words that repeat in another order for another `salt`."""
    return " ".join(_WORDS[(salt * 31 + i * (salt % 17 + 3)) % len(_WORDS)] for i in range(count))


if __name__ == "__main__":
    main()
