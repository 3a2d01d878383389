"""How head and anchor moved over the trials of a campaign."""

from typing import NamedTuple

from lineage_repo.model.ledger import Demotion, Trial
from lineage_repo.record.index import Index
from lineage_repo.verdict.standing import Standing, advance


class Step(NamedTuple):
    """Head and anchor after an entry that changed one of them."""

    trials: int
    """Trials recorded up to it, the start not counted."""
    head: int
    anchor: int
    demoted: int | None
    """The head that fell back, where a demotion caused the step."""


def trace_standings(lineage: Index) -> list[Step]:
    """Return each change of head or anchor, the first one at the start; empty before the baseline."""
    steps: list[Step] = []
    standing: Standing | None = None
    trials = -1
    for event in lineage.events:
        trials += isinstance(event, Trial)
        demoted = event.number if isinstance(event, Demotion) else None
        standing = advance(standing, event)
        if standing and (not steps or (standing.head, standing.anchor) != (steps[-1].head, steps[-1].anchor)):
            steps.append(Step(max(trials, 0), standing.head, standing.anchor, demoted))
    return steps
