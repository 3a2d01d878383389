"""Branch coverage over every process: `python -m tests.support.coverage_switch on|off`.

Runners, workers and servers get an environment of their own and outlive their parents, so that no variable could tell
them to measure. A path file in site-packages does, while a marker file lies in this checkout. `off` combines what all
processes left, prints the report, and fails below the gate.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARKER = ROOT / ".coverage" / "on"
PATH_FILE = Path(sysconfig.get_paths()["purelib"]) / "zz_espalier_coverage.pth"
GATE = 0.87
"""Least share of branches that the suites must take."""
_START = (
    "import os; os.path.exists({marker!r}) and (os.environ.update(COVERAGE_PROCESS_START={settings!r}, "
    "COVERAGE_FILE={data!r}), __import__('coverage').process_startup(), "
    "[os.environ.pop(name) for name in ('COVERAGE_PROCESS_START', 'COVERAGE_FILE')])\n"
)
"""The variables go at once: boxes and their tests must not see them."""


def switch_on() -> None:
    MARKER.parent.mkdir(exist_ok=True)
    for old in MARKER.parent.glob("data*"):
        old.unlink()
    data = str(MARKER.with_name("data"))
    PATH_FILE.write_text(_START.format(marker=str(MARKER), settings=str(ROOT / "pyproject.toml"), data=data), "utf-8")
    MARKER.touch()


def switch_off() -> int:
    MARKER.unlink(missing_ok=True)
    PATH_FILE.unlink(missing_ok=True)
    coverage = [sys.executable, "-m", "coverage"]
    totals = MARKER.parent / "totals.json"
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    subprocess.run([*coverage, "report"], cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", "--quiet", "-o", str(totals)], cwd=ROOT, check=True)
    found = json.loads(totals.read_text("utf-8"))["totals"]
    share = found["covered_branches"] / found["num_branches"]
    print(f"branches {share:.1%} of {found['num_branches']}, lines {found['percent_statements_covered']:.1f}%")
    if share < GATE:
        print(f"fewer than {GATE:.0%} of the branches are taken")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(switch_off() if sys.argv[1:] == ["off"] else switch_on())
