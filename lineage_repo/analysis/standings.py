"""How head and anchor moved over the trials of a campaign."""

from typing import NamedTuple

from lineage_repo.model.ledger import Demotion, Proof, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.record.index import Index
from lineage_repo.verdict.standing import Standing


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
        demoted: int | None = None
        match event:
            case Trial():
                trials += 1
                if event.status is Status.BASELINE or (event.imported and event.status is Status.KEEP):
                    standing = Standing(anchor=event.number)
                elif event.status is Status.KEEP and standing:
                    standing = standing.move(event.number)
            case Proof() if event.level == "replicated" and standing:
                standing = standing.replicate(event.number, event.outcome)
            case Demotion() if standing:
                standing, demoted = standing.demote(event.head), event.number
            case _:
                pass
        if standing and (not steps or (standing.head, standing.anchor) != (steps[-1].head, steps[-1].anchor)):
            steps.append(Step(max(trials, 0), standing.head, standing.anchor, demoted))
    return steps
