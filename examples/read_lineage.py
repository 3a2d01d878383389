"""Print what a campaign found: its best trial, the number of trials per status, and the start with each keep.

Usage: python examples/read_lineage.py DIR, where DIR is a campaign folder or any clone of its lineage.git.
"""

import sys
from collections import Counter
from pathlib import Path

from lineage_repo import EspalierError, Lineage, Status, open_lineage


def describe(lineage: Lineage) -> list[str]:
    """Return the lines that the program prints."""
    objective, trials = lineage.task.objective, lineage.trials.values()
    keeps = [trial for trial in trials if trial.status in {Status.BASELINE, Status.KEEP}]
    counts = Counter(trial.status.value for trial in trials)
    best = "none" if lineage.best is None else f"{lineage.best.number:04d}, {objective.text(lineage.best.score)}"
    rows = [f"  {keep.number:04d}  {objective.text(keep.score)}  {keep.proposal.title}" for keep in keeps]
    return [f"best: {best}", *(f"{status}: {count}" for status, count in counts.items()), "keeps:", *rows]


if __name__ == "__main__":
    try:
        print("\n".join(describe(open_lineage(Path(sys.argv[1])))))
    except EspalierError as error:
        sys.exit(str(error))
