"""What the harness itself costs: `python -m benchmarks.overhead`.

Prints start-up times beside a bare interpreter's. For a toy trial it prints the time from registration to record
without the time of boxes and evaluator, at 10 and at 1,000 trials in the lineage.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from lineage_repo.model.ledger import Proposal, Trial
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.task.find import find_task
from mcp_server.sandbox.host import Host
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import calibration
from mcp_server.trial.executor import LocalExecutor

_RUNS = 7


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as scratch:
        host = Host(state=Path(scratch) / "state", path=os.environ["PATH"])
        campaign = Campaign.create(Path(scratch) / "campaign", find_task("toy"))
        calibration.calibrate(campaign, 2, LocalExecutor(host))
        print("harness overhead of a toy trial, registered to recorded, minus boxes and evaluator")
        print(f"{'trials':>8} {'median s':>10} {'min s':>8} {'whole trial s':>14}")
        for size in (10, 1000):
            fill(campaign, size)
            trials = [run_trial(campaign, host, size + i) for i in range(_RUNS)]
            costs = [compute_overhead(t) for t in trials]
            whole = statistics.median((t.at - t.registered_at).total_seconds() for t in trials)
            print(f"{size:8} {statistics.median(costs):10.3f} {min(costs):8.3f} {whole:14.3f}")
        measure_startup(campaign.folder)


def fill(campaign: Campaign, size: int) -> None:
    """Record cheap failed trials until the lineage has `size`."""
    lineage = campaign.lineage.refresh()
    fault = Fault(status=Status.CRASH, failure="made for the benchmark")
    with click.progressbar(range(len(lineage.trials), size), label=f"filling to {size}", file=sys.stderr) as numbers:
        for number in numbers:
            lineage.record(register(campaign, f"x = {number}\n"), (), fault, attempts=1, isolation={"level": "not run"})


def register(campaign: Campaign, body: str) -> int:
    """Register a trial without running it."""
    tree = campaign.lineage.store.write_tree({"fit.py": body.encode()})
    proposal = Proposal(
        parent=0, title="filler", hypothesis="", expected_delta=0, specialist="opt", session="bench", recipe_tree=tree
    )
    return campaign.lineage.register(proposal, campaign.settings.digests, lambda _: None)


def run_trial(campaign: Campaign, host: Host, salt: int) -> Trial:
    """Submit the start with one more comment and wait for its record."""
    workspace = Workspace(campaign, "opt", "bench", 10**6, host)
    path = workspace.workdir.folder / "fit.py"
    path.write_text(path.read_text("utf-8") + f"# {salt}\n", "utf-8")
    number = workspace.submit(
        "one more comment", "A comment changes nothing, so this measures the harness.", 0.0, ""
    ).trial
    locks.wait_for_release(campaign.paths.trial(number).folder)
    workspace.is_finished(number)
    workspace.workdir.close()
    return workspace.lineage.trials[number]


def compute_overhead(trial: Trial) -> float:
    """Compute the seconds from registration to record without boxes and evaluator."""
    measurements = [m for comparison in trial.comparisons for m in comparison.measurements]
    assert measurements, trial.verdict  # noqa: S101
    boxes = sum(run.setup_s + run.wall_s for m in measurements for run in m.phases)
    return (trial.at - trial.registered_at).total_seconds() - boxes - sum(m.evaluator_s for m in measurements)


def measure_startup(folder: Path) -> None:
    """Compare each command's start-up with a bare interpreter's, interleaved."""
    espalier = [sys.executable, "-m", "lineage_repo.cli.main"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "espalier --help": [*espalier, "--help"],
        "espalier status (1,000 trials)": [*espalier, "status", str(folder)],
        "espalier serve, to its end of input": [*espalier, "serve", str(folder), "--specialist", "opt"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_RUNS):
        for name, argv in commands.items():
            begun = time.perf_counter()
            subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True)
            times[name].append(time.perf_counter() - begun)
    bare = min(times["python -c pass"])
    print(f"\n{'start-up':36} {'median ms':>10} {'min ms':>8} {'times python':>13}")
    for name, seconds in times.items():
        least, usual = min(seconds), statistics.median(seconds)
        print(f"{name:36} {usual * 1000:10.0f} {least * 1000:8.0f} {least / bare:13.1f}")


if __name__ == "__main__":
    main()
