"""What the sandbox costs: `python -m benchmarks.sandbox`.

Runs the same program plain and in a box, in turn, and prints the difference as a share of one seed of the CPU twin.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from mcp_server.sandbox.host import Host
from mcp_server.sandbox.selftest import run_in_box as run_boxed
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

_RUNS = 40
_ARGV = (sys.executable, "-I", "-S", "-c", "pass")


def main() -> None:
    """Print the cost of a launch and its share of a twin's seed."""
    plain: list[float] = []
    boxed: list[float] = []
    inside: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        host = Host(state=Path(scratch) / "state", path=os.environ["PATH"])
        for _ in range(_RUNS):
            begun = time.perf_counter()
            subprocess.run(_ARGV, check=True)
            plain.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            with run_boxed(host, _ARGV) as box:
                inside.append(box.wall_s)
            boxed.append(time.perf_counter() - begun)
        cost = statistics.median(boxed) - statistics.median(plain)
        seconds, boxes = measure_twin(Path(scratch) / "campaign")
    print(f"{'python -I -S -c pass':24} {'median ms':>10} {'least ms':>9}")
    for name, values in (("plain", plain), ("in a box", boxed), ("under the box's clock", inside)):
        print(f"{name:24} {statistics.median(values) * 1000:10.1f} {min(values) * 1000:9.1f}")
    share = boxes * cost / seconds
    print(f"\none seed of airbench_cpu: {seconds:.2f} s with {boxes} boxes; the sandbox's share is {share:.1%}")


def measure_twin(folder: Path) -> tuple[float, int]:
    """Measure one seed of the CPU twin; return its wall seconds and how many boxes it took."""
    campaign = Campaign.create(folder, find_task("airbench_cpu"))
    host = Host(state=folder / "state", path=os.environ["PATH"])
    begun = time.perf_counter()
    outcome = measure(
        campaign,
        campaign.task_folder.read_start(),
        folder / "trials" / "bench",
        LocalExecutor(host),
        n_seeds=1,
    )
    assert outcome.measurement, outcome.fault  # noqa: S101
    return time.perf_counter() - begun, len(outcome.measurement.phases)


if __name__ == "__main__":
    main()
