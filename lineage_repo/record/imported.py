"""Imported trials: what our record says of them follows from what another harness recorded."""

from datetime import datetime

from lineage_repo.model.imported import Imported
from lineage_repo.model.ledger import Incumbent, Proposal, Trial, Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.judge import gate_margin

NOT_JUDGED = 0
"""The judge's version of a trial that our judge never saw."""


def take_over(lineage: Lineage, number: int, proposal: Proposal, imported: Imported, at: datetime) -> Trial:
    """Return the trial that an import records next, and that `verify` expects; the verdict is the other harness's."""
    incumbent = lineage.incumbent()
    parent_score = None if proposal.parent is None else lineage.trials[proposal.parent].score
    return Trial(
        number=number,
        proposal=proposal,
        imported=imported,
        incumbent=incumbent,
        parent_score=parent_score,
        judge_version=NOT_JUDGED,
        verdict=_build_verdict(lineage.task, imported, incumbent, parent_score),
        digests=lineage.campaign.digests,
        isolation={"level": "unknown"},
        registered_at=at,
        at=at,
    )


def _build_verdict(task: Task, imported: Imported, incumbent: Incumbent | None, parent_score: float | None) -> Verdict:
    """Take their status and score, and compute the differences to the best and to the parent."""
    values = imported.values
    score = values.get(task.objective.metric) if imported.status.measured else None
    best = incumbent.score if incumbent and imported.status is not Status.BASELINE else None
    return Verdict(
        status=imported.status,
        score=score,
        delta_vs_best=None if score is None or best is None else score - best,
        delta_vs_parent=None if score is None or parent_score is None else score - parent_score,
        failure=imported.failure,
        margins=tuple(gate_margin(gate, (values[gate.metric],), None) for gate in task.gates if gate.metric in values),
    )
