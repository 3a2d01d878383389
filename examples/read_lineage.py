"""Print what a campaign found: what is proven, the head, the number of trials per status, the start and each keep.

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
    standing = [
        f"{what}: {trial.number:04d}" for what, trial in (("proven", lineage.anchor), ("head", lineage.head)) if trial
    ]
    rows = [f"  {keep.number:04d}  {objective.text(keep.score)}  {keep.proposal.title}" for keep in keeps]
    return [*standing, *(f"{status}: {count}" for status, count in counts.items()), "keeps:", *rows]


if __name__ == "__main__":
    try:
        print("\n".join(describe(open_lineage(Path(sys.argv[1])))))
    except EspalierError as error:
        sys.exit(str(error))
