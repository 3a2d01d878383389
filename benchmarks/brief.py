"""What an opening message costs: `python -m benchmarks.brief`.

Prints its characters and the CPU time to render it over a lineage of made-up trials, folded in memory. Half of the
trials have a hypothesis of some 350 characters, the others one of 2,000, the maximum.
"""

import statistics
import tempfile
import time
from pathlib import Path

from agent_client.brief.message import render
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Caps,
    Incumbent,
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
        lineage.fold(
            Row(_HEX, None, b""), Calibration(measurement=make_measurement(1.2), isolation={}, host={}, at=now())
        )
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


def make_measurement(seconds: float) -> Measurement:
    """Make the measurement of a trial with ten seeds."""
    values = tuple(seconds + i / 100 for i in range(10))
    metrics = {"accuracy": tuple(0.98 for _ in range(10)), "seconds": values}
    return Measurement(
        trial_seeds=(1,), box_seeds=tuple(range(10)), metrics=metrics, phases=(), source_bytes=9, clock="cpu"
    )


def add_trial(lineage: Lineage, number: int, specialist: str) -> None:
    """Fold one trial: every fortieth is a keep and two thirds of the others failures, as in long searches."""
    status = Status.BASELINE if number == 0 else Status.KEEP if number % 40 == 1 else Status.DISCARD
    if status is Status.DISCARD and number % 3:
        status = _FAILED[number % len(_FAILED)]
    best = lineage.best
    score = 1.2 - number / 20_000 if status.measured else None
    proposal = Proposal(
        parent=best.number if best else None,
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
        measurement=make_measurement(score) if score is not None else None,
        incumbent=Incumbent(number=best.number, score=best.score, n_seeds=10) if best and best.score else None,
        verdict=Verdict(
            status=status,
            score=score,
            delta_vs_best=-0.002 if score is not None and number else None,
            failure=make_words(number * 3, 30) if status.failed else None,
        ),
        digests={},
        isolation={},
        registered_at=now(),
        at=now(),
    )
    lineage.fold(Row(_HEX, _HEX, b""), Registration(number=number, proposal=proposal, digests={}, at=now()))
    lineage.fold(Row(_HEX, _HEX, b""), trial)


def make_words(salt: int, count: int) -> str:
    """`count` words that repeat in another order for another `salt`."""
    return " ".join(_WORDS[(salt * 31 + i * (salt % 17 + 3)) % len(_WORDS)] for i in range(count))


if __name__ == "__main__":
    main()
