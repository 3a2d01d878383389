"""Print what a campaign found: head and anchor with what is proven of them, and the number of trials per status.

Usage: python examples/read_lineage.py DIR, where DIR is a campaign folder or any clone of its lineage.git.
"""

import sys
from collections import Counter
from pathlib import Path

from lineage_repo import Claims, EspalierError, Lineage, Status, open_lineage


def describe(lineage: Lineage) -> list[str]:
    """Return the lines that the program prints; a gain is over the start, with its 95 % interval."""
    objective, claims, trials = lineage.task.objective, Claims(lineage), lineage.trials.values()

    def proven(number: int) -> str:
        claim = claims.of(number)
        gain = f"gain {objective.gain_text(claim.gain)}" if claim.gain else "the start"
        return f"{number:04d}  {gain}" + (f"  {claim.level}" if claim.level else "")

    counts = Counter(trial.status.value for trial in trials)
    standing = {"head": lineage.head, "anchor": lineage.anchor}
    keeps = [trial for trial in trials if trial.status is Status.KEEP]
    return [
        *(f"{name}: {proven(trial.number)}" for name, trial in standing.items() if trial),
        *(f"{status}: {count}" for status, count in counts.items()),
        "keeps:",
        *(f"  {proven(keep.number)}  {keep.proposal.title}" for keep in keeps),
    ]


if __name__ == "__main__":
    try:
        print("\n".join(describe(open_lineage(Path(sys.argv[1])))))
    except EspalierError as error:
        sys.exit(str(error))
