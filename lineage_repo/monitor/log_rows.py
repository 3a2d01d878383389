"""Make the rows of `espalier log` from git, and leave them where the next reader finds them."""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Demotion, Proof, Trial
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.from_git import view_gain
from lineage_repo.monitor.json_shape import dump, parse_json
from lineage_repo.monitor.log_table import (
    DEMOTION,
    PROOF,
    ROWS_FORMAT,
    TIP,
    LogHeader,
    LogRow,
    LogTable,
    parse_log_table,
    read_log_table,
)
from lineage_repo.monitor.record_view import ObjectiveView
from lineage_repo.prompting import queries
from lineage_repo.record.claims import Claims, price
from lineage_repo.record.entries import read_entry
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.message import demotion_subject, heading
from lineage_repo.storage.store import Store
from lineage_repo.text.phrases import arm_text
from lineage_repo.text.sanitize import clip

_WIDTH = 100
"""Columns that a line takes at most; `espalier show` has what is cut."""
_TITLE = 36
"""Characters of a title that leave room for a failure."""


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


def _read_claims(known: LogTable, trials: Sequence[Trial]) -> Claims:
    """Return the claims of trials that came after cached rows: each is over a trial of these, or another new one."""
    needed = {str(t.verdict.against) for t in trials if t.verdict.against is not None}
    gains = {int(row.number): parse_json(row.json).get("gain_over_start") for row in known.rows if row.number in needed}
    return Claims.since(trials, {number: Interval.model_validate(gain) for number, gain in gains.items() if gain})


def _extend_log_table(directory: Path) -> LogTable:
    """Read only what came since the file's tip; raise what shows that the file is of no use."""
    known = read_log_table(directory)
    rows = Store(CampaignPaths(directory).repository).rows(known.tip)
    entries = [read_entry(row) for row in rows]
    if any(isinstance(entry, Proof | Demotion) for entry in entries):
        raise ValueError("the levels of earlier rows have changed")
    if rows:
        trials = [entry for entry in entries if isinstance(entry, Trial)]
        claims = _read_claims(known, trials)
        text = _rows_text((_trial_row(trial, known.header.objective, claims) for trial in trials), rows[-1].commit)
        # One write at the end of the file: two readers at once leave the same lines twice, which does no harm.
        descriptor = os.open(CampaignPaths(directory).log_rows, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    return read_log_table(directory)


def _log_text(directory: Path) -> str:
    lineage = open_lineage(directory)
    campaign, task, claims = lineage.campaign, lineage.task, Claims(lineage)
    arm = arm_text(campaign.arm, read_record=campaign.read_record)
    objective = ObjectiveView(**task.objective.model_dump())
    header = json.dumps(dump(LogHeader(ROWS_FORMAT, task.title, arm, objective)))
    rows = (_event_row(event, objective, claims) for event in lineage.events)
    return header + "\n" + _rows_text(rows, lineage.tip or "")


def _rows_text(rows: Iterable[LogRow], tip: str) -> str:
    return "".join("\t".join(row) + "\n" for row in rows) + f"{TIP}\t{tip}\n"


def _event_row(event: Trial | Proof | Demotion, objective: ObjectiveView, claims: Claims) -> LogRow:
    match event:
        case Trial():
            return _trial_row(event, objective, claims)
        case Proof():
            facts = event.model_dump(mode="json", exclude={"comparisons", "isolation"})
            body = json.dumps(facts | {"price": price(event.comparisons).model_dump()})
            return LogRow(f"{PROOF} {event.proof}", PROOF, "", _cut(_proof_line(event, objective)), body)
        case Demotion():
            line = f"     {demotion_subject(event)}"
            return LogRow(f"{DEMOTION} {event.proof}", DEMOTION, "", line, event.model_dump_json())


def _trial_row(trial: Trial, objective: ObjectiveView, claims: Claims) -> LogRow:
    row = queries.trial_row(trial, claims)
    line = _cut(_trial_line(trial, row, objective))
    return LogRow(str(trial.number), trial.status.value, trial.proposal.specialist, line, row.model_dump_json())


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3].rstrip()}..."


def _trial_line(trial: Trial, row: queries.TrialRow, objective: ObjectiveView) -> str:
    outcome = trial.status.value
    if row.demoted_by is not None:
        outcome = f"{outcome} demoted"
    elif detail := row.level if row.level else row.finding:
        outcome = outcome if trial.imported else f"{outcome} {detail}"
    head, title = f"{trial.number:04d} {outcome:20}", heading(trial.proposal)
    if row.score is None:
        return f"{head} {clip(title, _TITLE)}  [{row.failure}]" if row.failure else f"{head} {title}"
    gain = view_gain(row.gain)
    facts = "" if gain is None or row.against is None else objective.gain_text(gain)
    relation = "" if gain is None or row.against is None else gain.relation(f"{row.against:04d}")
    return f"{head} {objective.text(row.score):>8} {facts:15} {relation:13}  {title}"


def _proof_line(proof: Proof, objective: ObjectiveView) -> str:
    gain, cost = view_gain(proof.gain), price(proof.comparisons)
    what = f"     proof {proof.proof}, {proof.number:04d} against {proof.against:04d}"
    outcome = proof.level if proof.outcome == "passed" else f"not {proof.level}, {proof.outcome}"
    measured = "" if gain is None else f": {objective.gain_text(gain)} in {gain.n} blocks"
    return f"{what}: {outcome}{measured}, {cost.seeds} seeds" + (f"  [{proof.failure}]" if proof.failure else "")
