"""What reading a long record costs: `python -m benchmarks.reading [TRIALS ...]`.

Makes lineages as deep as they are long (every trial builds on the one before), 40 words of hypothesis each, and
prints the wall time of the reading commands as a user starts them, and their processor seconds.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lineage_repo.interchange.importing import import_trace
from lineage_repo.interchange.jsonl import CampaignLine, Trace, TrialLine
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Objective

_WARM = 5
_START = datetime(2026, 1, 1, tzinfo=UTC)


def main(sizes: list[int]) -> None:
    """Print a table per size."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder, page = Path(scratch) / "c", Path(scratch) / "report.html"
            import_trace(make_deep_trace(size), folder)
            print(f"\n{size} trials, one below the other")
            print(f"{'command':34} {'runs':>4} {'median s':>9} {'least s':>9} {'CPU s':>7}")
            time_command("status", 1 + _WARM, ["status", str(folder)])
            time_command("log -n 20, the first time", 1, ["log", str(folder), "-n", "20"])
            time_command("log -n 20, again", _WARM, ["log", str(folder), "-n", "20"])
            time_command("log, again", _WARM, ["log", str(folder)])
            time_command("log --json, again", _WARM, ["log", str(folder), "--json"])
            time_command("verify", 1, ["verify", str(folder)])
            time_command("report", 3, ["report", str(folder), "-o", str(page)])
            print(f"the page has {page.stat().st_size / 1e6:.2f} MB")


def make_deep_trace(size: int) -> Trace:
    """Make a campaign in which every twenty-fifth trial is a keep and half of the others have a score."""
    draw = random.Random(0)  # noqa: S311 - repeatable on purpose
    objective = Objective(metric="loss", direction="lower", unit="nats")
    best = 2.0
    trials = [TrialLine(id="t0", at=_START, status=Status.BASELINE, values={"loss": best}, role="start")]
    for i in range(1, size + 1):
        keep = i % 25 == 0
        best -= keep * 0.5 / size
        scored = keep or i % 2
        trials.append(
            TrialLine(
                id=f"t{i}",
                parent=f"t{i - 1}",
                role=f"role{i % 10}",
                at=_START + timedelta(minutes=4 * i),
                status=Status.KEEP if keep else Status.DISCARD if scored else Status.CRASH,
                hypothesis=" ".join(f"word{draw.randrange(2000)}" for _ in range(40)),
                expected_delta=-0.001,
                values={"loss": best if keep else best + draw.random() / 100} if scored else {},
                slot_s=900.0,
            )
        )
    return Trace(CampaignLine(name="deep", title="Made for a benchmark", objective=objective), tuple(trials), {})


def time_command(name: str, runs: int, arguments: list[str]) -> None:
    """Run a command `runs` times and print one line."""
    times: list[float] = []
    before = os.times()
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lineage_repo.cli.main", *arguments], capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    middle = sorted(times)[len(times) // 2]
    print(f"{name:34} {runs:4} {middle:9.2f} {min(times):9.2f} {spent / runs:7.2f}", flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [900, 10_000])
