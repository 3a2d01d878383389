"""What `espalier log` shows of each trial, kept beside a campaign's repository, so that a long table needs no fold.

Derived: a header, one line per trial, and after each batch the ledger's tip. It is only appended to; whatever does not
fit is made anew from git.
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lineage_repo.cli.log import TIP, Table, read_rows, table_of
from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Objective
from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.model.roster import arm_text
from lineage_repo.prompting import queries
from lineage_repo.record.index import read_entry
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.message import heading
from lineage_repo.storage.store import Store
from lineage_repo.text.sanitize import clip


def current(directory: Path, *, anew: bool = False) -> Table:
    """The table at the ledger's tip, brought up to date or made `anew`; for a clone folded from git each time."""
    if not CampaignPaths(directory).repository.is_dir():
        return table_of(_whole(directory))
    if not anew:
        with suppress(RecordError, OSError, ValueError):
            return _appended(directory)
    text = _whole(directory)
    with suppress(OSError):  # a reader without the right to write reads all the same
        write_whole(CampaignPaths(directory).log_rows, text.encode())
    return table_of(text)


def graph(directory: Path, wanted: str | None, limit: int | None) -> str:
    """Git's own drawing of the trials, or of the keeps alone: a child stands above what it builds on."""
    which = (
        ("--tags=keep/*", "--simplify-by-decoration", "--decorate-refs=refs/tags/keep/*")
        if wanted
        else ("--tags=trial/*",)
    )
    most = (f"--max-count={limit}",) if limit else ()
    return open_lineage(directory).store.run("log", "--graph", "--format=%s", *which, *most).decode("utf-8", "replace")


def _appended(directory: Path) -> Table:
    """Read only what came since; raise what means that the file is of no use."""
    known = read_rows(directory)
    rows = Store(CampaignPaths(directory).repository).rows(known.tip)
    objective = Objective.model_validate(known.objective)
    trials = [entry for row in rows if isinstance(entry := read_entry(row), Trial)]
    if rows:
        text = _lines(trials, objective, rows[-1].commit)
        # One write at the end of the file: two readers at once leave the same lines twice, which does no harm.
        descriptor = os.open(CampaignPaths(directory).log_rows, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    return read_rows(directory)


def _whole(directory: Path) -> str:
    lineage = open_lineage(directory)
    frozen, task = lineage.campaign, lineage.task
    arm = arm_text(frozen.arm, read_record=frozen.read_record)
    header = {"title": task.title, "arm": arm, "objective": task.objective.model_dump(mode="json")}
    return json.dumps(header) + "\n" + _lines(lineage.trials.values(), task.objective, lineage.tip or "")


def _lines(trials: Iterable[Trial], objective: Objective, tip: str) -> str:
    return "".join("\t".join(_fields(trial, objective)) + "\n" for trial in trials) + f"{TIP}\t{tip}\n"


def _fields(trial: Trial, objective: Objective) -> Sequence[str]:
    row = queries.trial_row(trial).model_dump_json()
    return (str(trial.number), trial.status.value, trial.proposal.specialist, line(trial, objective), row)


def line(trial: Trial, objective: Objective) -> str:
    """One trial as one line of a table."""
    outcome, digits = trial.verdict, objective.digits
    score = f"{outcome.score:.{digits}f}" if outcome.score is not None else "-"
    delta = f"{outcome.delta_vs_best:+.{digits}f}" if outcome.delta_vs_best is not None else ""
    parent = "" if trial.proposal.parent is None else f"<{trial.proposal.parent:04d}"
    text = heading(trial.proposal) + (f"  [{clip(outcome.failure, 80)}]" if outcome.failure else "")
    if outcome.status is Status.DISCARD and outcome.score is not None and trial.incumbent and outcome.threshold:
        gain = objective.gain(outcome.score, trial.incumbent.score)
        text += f"  [better, but not by the {outcome.threshold:.{digits}f} that a keep needs]" if gain > 0 else ""
    return f"{trial.number:04d} {outcome.status.value:21} {score:>10} {delta:>10}  {parent:5}  {text}"
