"""Make the overview and the log's rows from git, and leave them where the next reader finds them."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Objective, Task
from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import REPOSITORY, CampaignPaths
from lineage_repo.monitor.json_shape import dump
from lineage_repo.monitor.log_table import (
    ROWS_FORMAT,
    TIP,
    LogHeader,
    LogRow,
    LogTable,
    parse_log_table,
    read_log_table,
)
from lineage_repo.monitor.overview import (
    SCHEMA,
    BestTrial,
    CertificationView,
    Overview,
    RecentTrial,
    RunningTrial,
)
from lineage_repo.monitor.record_view import ObjectiveView
from lineage_repo.prompting import queries
from lineage_repo.record.index import Index, read_entry
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.message import heading
from lineage_repo.storage.store import Store
from lineage_repo.text.phrases import arm_text
from lineage_repo.text.sanitize import clip

_RECENT, _CERTIFICATIONS = 32, 3
"""How many of the newest trials, and of the newest certifications, an overview shows."""


def build_overview(lineage: Index) -> Overview:
    """Return where a campaign stands; raise `RecordError` for an empty ledger."""
    campaign, task, best, baseline = lineage.campaign, lineage.task, lineage.best, lineage.trials.get(0)
    trials = [trial for trial in reversed(lineage.trials.values()) if trial.number]
    certifications = list(enumerate(lineage.certifications, 1))[: -_CERTIFICATIONS - 1 : -1]
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
        baseline=baseline.score if baseline else None,
        best=BestTrial(best.number, best.score, heading(best.proposal), best.at)
        if best and best.score is not None
        else None,
        gain=_gain_over_baseline(task, best, baseline),
        noise_sd=noise.sd if noise else None,
        trials=len(trials),
        counts=dict(Counter(trial.status.value for trial in reversed(trials))),
        calibrations=len(lineage.calibrations),
        certified=tuple(
            CertificationView(nth, entry.number, entry.against, entry.gain, entry.p, entry.certified)
            for nth, entry in certifications
        ),
        running=tuple(
            RunningTrial(
                entry.number, heading(entry.proposal), entry.proposal.specialist, entry.proposal.session, entry.at
            )
            for entry in lineage.running()
        ),
        recent=tuple(_recent(trial) for trial in islice(trials, _RECENT)),
    )


def _gain_over_baseline(task: Task, best: Trial | None, baseline: Trial | None) -> float | None:
    """Return how much better the best trial is than the baseline; None while one of them has no score."""
    if best is None or baseline is None or best.score is None or baseline.score is None:
        return None
    return task.objective.gain(best.score, baseline.score)


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


def update_log_table(directory: Path, *, anew: bool = False) -> LogTable:
    """Bring the log's file up to the ledger's tip, or make it `anew`, and return it; raise `RecordError`.

    For a clone, the table is read from git each time and left nowhere.
    """
    if not CampaignPaths(directory).repository.is_dir():
        return parse_log_table(_log_text(directory))
    if not anew:
        with suppress(RecordError, OSError, ValueError):
            return _extend_log_table(directory)
    text = _log_text(directory)
    with suppress(OSError):  # whoever may not write here still gets an answer
        write_whole(CampaignPaths(directory).log_rows, text.encode())
    return parse_log_table(text)


def draw_graph(directory: Path, *, keeps_only: bool, limit: int | None) -> str:
    """Return git's own drawing of the trials, or of the keeps alone: a child stands above what it builds on."""
    keeps = ("--tags=keep/*", "--simplify-by-decoration", "--decorate-refs=refs/tags/keep/*")
    options = (*(keeps if keeps_only else ("--tags=trial/*",)), *((f"--max-count={limit}",) if limit else ()))
    return open_lineage(directory).store.run("log", "--graph", "--format=%s", *options).decode("utf-8", "replace")


def _recent(trial: Trial) -> RecentTrial:
    verdict = trial.verdict
    return RecentTrial(
        trial=trial.number,
        status=trial.status.value,
        score=verdict.score,
        delta_vs_best=verdict.delta_vs_best,
        specialist=trial.proposal.specialist,
        title=heading(trial.proposal),
        failure=verdict.failure,
        seconds=(trial.at - trial.registered_at).total_seconds(),
        at=trial.at,
    )


def _extend_log_table(directory: Path) -> LogTable:
    """Read only what came since the file's tip; raise what shows that the file is of no use."""
    known = read_log_table(directory)
    rows = Store(CampaignPaths(directory).repository).rows(known.tip)
    objective = Objective.model_validate(known.header.objective._asdict())
    trials = [entry for row in rows if isinstance(entry := read_entry(row), Trial)]
    if rows:
        text = _rows_text(trials, objective, rows[-1].commit)
        # One write at the end of the file: two readers at once leave the same lines twice, which does no harm.
        descriptor = os.open(CampaignPaths(directory).log_rows, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    return read_log_table(directory)


def _log_text(directory: Path) -> str:
    lineage = open_lineage(directory)
    campaign, task = lineage.campaign, lineage.task
    arm = arm_text(campaign.arm, read_record=campaign.read_record)
    header = LogHeader(ROWS_FORMAT, task.title, arm, ObjectiveView(**task.objective.model_dump()))
    return json.dumps(dump(header)) + "\n" + _rows_text(lineage.trials.values(), task.objective, lineage.tip or "")


def _rows_text(trials: Iterable[Trial], objective: Objective, tip: str) -> str:
    return "".join("\t".join(_log_row(trial, objective)) + "\n" for trial in trials) + f"{TIP}\t{tip}\n"


def _log_row(trial: Trial, objective: Objective) -> LogRow:
    row = queries.trial_row(trial).model_dump_json()
    return LogRow(str(trial.number), trial.status.value, trial.proposal.specialist, _log_line(trial, objective), row)


def _log_line(trial: Trial, objective: Objective) -> str:
    verdict, digits = trial.verdict, objective.digits
    score = f"{verdict.score:.{digits}f}" if verdict.score is not None else "-"
    delta = f"{verdict.delta_vs_best:+.{digits}f}" if verdict.delta_vs_best is not None else ""
    parent = "" if trial.proposal.parent is None else f"<{trial.proposal.parent:04d}"
    text = heading(trial.proposal) + (f"  [{clip(verdict.failure, 80)}]" if verdict.failure else "")
    if verdict.status is Status.DISCARD and verdict.score is not None and trial.incumbent and verdict.threshold:
        gain = objective.gain(verdict.score, trial.incumbent.score)
        text += f"  [better, but not by the {verdict.threshold:.{digits}f} that a keep needs]" if gain > 0 else ""
    return f"{trial.number:04d} {verdict.status.value:21} {score:>10} {delta:>10}  {parent:5}  {text}"
