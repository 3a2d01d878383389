"""Make the overview from git, and leave it where the next reader finds it."""

import json
from collections import Counter
from contextlib import suppress
from itertools import islice
from pathlib import Path

from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Trial
from lineage_repo.model.paths import REPOSITORY, CampaignPaths
from lineage_repo.monitor.json_shape import dump
from lineage_repo.monitor.overview import SCHEMA, Overview, ProofView, RecentTrial, RunningTrial, StandingTrial
from lineage_repo.monitor.record_view import GainView, ObjectiveView, level_text
from lineage_repo.record.claims import Claims
from lineage_repo.record.cost import find_smallest_gain
from lineage_repo.record.index import Index
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.message import heading
from lineage_repo.verdict.proofs import compared_metric

_RECENT = 32
"""How many of the newest trials an overview shows."""


def build_overview(lineage: Index) -> Overview:
    """Return where a campaign stands; raise `RecordError` for an empty ledger."""
    campaign, task, baseline, claims = lineage.campaign, lineage.task, lineage.trials.get(0), Claims(lineage)
    trials = [trial for trial in reversed(lineage.trials.values()) if trial.number]
    noise = lineage.noise(task).get(task.objective.metric)
    return Overview(
        tip=lineage.tip or "",
        campaign=campaign.name,
        arm=campaign.arm,
        read_record=campaign.read_record,
        specialists=campaign.specialists,
        task=task.name,
        title=task.title,
        objective=ObjectiveView(**task.objective.model_dump()),
        imported=lineage.is_imported,
        baseline=baseline.score if baseline else None,
        head=_stand(lineage.head, claims),
        anchor=_stand(lineage.anchor, claims),
        noise_sd=noise.sd if noise else None,
        smallest_gain=find_smallest_gain(lineage) if noise else None,
        proof=_newest_proof(lineage),
        demotions=len(lineage.demotions),
        trials=len(trials),
        counts=dict(Counter(trial.status.value for trial in reversed(trials))),
        calibrations=len(lineage.calibrations),
        running=tuple(
            RunningTrial(
                entry.number, heading(entry.proposal), entry.proposal.specialist, entry.proposal.session, entry.at
            )
            for entry in lineage.running()
        ),
        recent=tuple(_recent(trial, claims) for trial in islice(trials, _RECENT)),
    )


def view_gain(gain: Interval | None) -> GainView | None:
    """Return a gain as the light readers have it."""
    return None if gain is None else GainView(**gain.model_dump())


def _stand(trial: Trial | None, claims: Claims) -> StandingTrial | None:
    if trial is None or trial.score is None:
        return None
    claim = claims.of(trial.number)
    level = None if trial.imported else level_text(claim.level, None, claim.steps) or None
    return StandingTrial(trial.number, trial.score, heading(trial.proposal), trial.at, level, view_gain(claim.gain))


def _newest_proof(lineage: Index) -> ProofView | None:
    entry = next(reversed(lineage.proofs_registered.values()), None)
    if entry is None:
        return None
    ended = lineage.proofs.get(entry.proof)
    return ProofView(
        proof=entry.proof,
        level=entry.level,
        number=entry.number,
        against=entry.against,
        metric=compared_metric(lineage.task, entry.level),
        blocks=entry.blocks[-1],
        since=entry.at,
        outcome=ended.outcome.value if ended else None,
        gain=view_gain(ended.gain) if ended else None,
        p=ended.p if ended else None,
        failure=ended.failure if ended else None,
    )


def write_overview(lineage: Index) -> Overview:
    """Leave the overview beside a campaign's repository, where `espalier status` reads it without git; return it.

    A full disk costs nobody a trial: readers make an overview that is missing or old themselves.
    """
    overview = build_overview(lineage)
    if lineage.store.path.name == REPOSITORY:
        text = json.dumps({"schema": SCHEMA, **dump(overview)}, indent=1)
        with suppress(OSError):
            write_whole(CampaignPaths(lineage.store.path.parent).overview, text.encode())
    return overview


def rebuild_overview(directory: Path) -> Overview:
    """Read the whole ledger, leave the overview for the next reader, and return it; raise `RecordError`."""
    return write_overview(open_lineage(directory))


def _recent(trial: Trial, claims: Claims) -> RecentTrial:
    verdict, claim = trial.verdict, claims.of(trial.number)
    return RecentTrial(
        trial=trial.number,
        status=trial.status.value,
        score=verdict.score,
        against=verdict.against,
        gain=view_gain(verdict.gain),
        finding=verdict.finding,
        level=claim.level,
        demoted_by=claim.demoted_by,
        specialist=trial.proposal.specialist,
        title=heading(trial.proposal),
        failure=verdict.failure,
        seconds=(trial.at - trial.registered_at).total_seconds(),
        at=trial.at,
    )
