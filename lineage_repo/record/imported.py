"""Imported trials: what our record says of them follows from what another harness recorded."""

from datetime import datetime

from lineage_repo.model.comparison import Interval
from lineage_repo.model.imported import Imported
from lineage_repo.model.ledger import Proposal, Trial, Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.margins import gate_margin

NOT_JUDGED = 0
"""The judge's version of a trial that our judge never saw."""


def take_over(lineage: Lineage, number: int, proposal: Proposal, imported: Imported, at: datetime) -> Trial:
    """Return the trial that an import records next, and that `verify` expects; the verdict is the other harness's."""
    head = lineage.head
    return Trial(
        number=number,
        proposal=proposal,
        imported=imported,
        head=head.number if head else None,
        judge_version=NOT_JUDGED,
        verdict=_build_verdict(lineage.task, imported, head),
        digests=lineage.campaign.digests,
        isolation={"level": "unknown"},
        registered_at=at,
        at=at,
    )


def _build_verdict(task: Task, imported: Imported, head: Trial | None) -> Verdict:
    """Take their status and score, and compute the gain over the best of their search; its noise is unknown."""
    values = imported.values
    score = values.get(task.objective.metric) if imported.status.measured else None
    best = head.score if head and imported.status is not Status.BASELINE else None
    gain = None
    if score is not None and best is not None:
        gain = Interval(mean=task.objective.gain(score, best), n=imported.n_seeds or 1)
    return Verdict(
        status=imported.status,
        score=score,
        against=head.number if gain and head else None,
        gain=gain,
        failure=imported.failure,
        margins=tuple(gate_margin(gate, (values[gate.metric],)) for gate in task.gates if gate.metric in values),
    )
