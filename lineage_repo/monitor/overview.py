"""The overview: where a campaign stands, as plain data of constant size, left where quick readers find it."""

import json
from collections import Counter
from contextlib import suppress
from itertools import islice
from typing import Any

from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.paths import REPOSITORY, CampaignPaths
from lineage_repo.record.index import Index
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.message import heading

_RECENT, _AGAIN = 32, 3
"""How many of the newest trials, and of the newest certifications."""


def build_overview(lineage: Index) -> dict[str, Any]:
    """Where the campaign stands, as plain data of constant size."""
    task, best, base = lineage.task, lineage.best, lineage.trials.get(0)
    metric = task.objective.metric
    noise = lineage.noise(task)
    counts = Counter(t.status.value for t in lineage.trials.values() if t.number)
    return {
        "schema": "espalier.status/1",
        "tip": lineage.tip,
        "campaign": lineage.campaign.name,
        "arm": lineage.campaign.arm,
        "read_record": lineage.campaign.read_record,
        "specialists": list(lineage.campaign.specialists),
        "task": task.name,
        "title": task.title,
        "objective": task.objective.model_dump(exclude_none=True),
        "baseline": base.score if base else None,
        "best": {
            "trial": best.number,
            "score": best.score,
            "title": heading(best.proposal),
            "at": best.at.isoformat(),
        }
        if best
        else None,
        "gain": gain_over_baseline(task, best, base),
        "noise_sd": noise[metric].sd if noise else None,
        "trials": sum(counts.values()),
        "counts": dict(counts),
        "calibrations": len(lineage.calibrations),
        "certified": [
            {"nth": nth, **entry.model_dump(mode="json", include={"number", "against", "gain", "p", "certified"})}
            for nth, entry in list(enumerate(lineage.certifications, 1))[: -_AGAIN - 1 : -1]
        ],
        "running": [
            {
                "trial": s.number,
                "title": heading(s.proposal),
                "specialist": s.proposal.specialist,
                "session": s.proposal.session,
                "since": s.at.isoformat(),
            }
            for s in lineage.running()
        ],
        "recent": [_recent(t) for t in islice((t for t in reversed(lineage.trials.values()) if t.number), _RECENT)],
    }


def write_overview(lineage: Index) -> None:
    """Leave the overview beside a campaign's repository, where `espalier status` reads it without git.

    Readers make one that is missing or old themselves, so a disk that is full costs nobody a trial.
    """
    if lineage.store.path.name == REPOSITORY:
        text = json.dumps(build_overview(lineage), indent=1)
        with suppress(OSError):
            write_whole(CampaignPaths(lineage.store.path.parent).overview, text.encode())


def _recent(trial: Trial) -> dict[str, Any]:
    outcome = trial.verdict
    return {
        "trial": trial.number,
        "status": trial.status.value,
        "score": outcome.score,
        "delta_vs_best": outcome.delta_vs_best,
        "specialist": trial.proposal.specialist,
        "title": heading(trial.proposal),
        "failure": outcome.failure,
        "seconds": (trial.at - trial.registered_at).total_seconds(),
        "at": trial.at.isoformat(),
    }


def gain_over_baseline(task: Task, best: Trial | None, base: Trial | None) -> float | None:
    """How much better the best is than the baseline; None while there is neither."""
    if best is None or base is None or best.score is None or base.score is None:
        return None
    return task.objective.gain(best.score, base.score)
