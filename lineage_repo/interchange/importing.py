"""Turns a foreign campaign into a lineage: cleans its texts, numbers its trials, writes one history."""

import hashlib
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from lineage_repo.errors import InterchangeError
from lineage_repo.interchange.jsonl import CampaignLine, Trace, TrialLine, describe_problem, read_lines
from lineage_repo.interchange.release import read_release
from lineage_repo.model.imported import Imported
from lineage_repo.model.ledger import NO_RECIPE_TREE, CampaignEntry, Proposal, Trial
from lineage_repo.model.manifest import HARNESS_METRICS, Evaluator, Specialist, Task
from lineage_repo.model.measurement import Status, now
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.from_git import write_overview
from lineage_repo.record.imported import take_over
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.message import trial_message
from lineage_repo.storage.objects import Signature
from lineage_repo.storage.store import Draft, Row, Store
from lineage_repo.text.sanitize import plain_line

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of trials whose source gives none; their `missing` names the time."""
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
"""A later time with an offset may have no UTC date."""
SESSION = "imported"


def read_trace(source: Path) -> Trace:
    """Read a `.jsonl` file, or a folder with the paper's tables."""
    return read_lines(source) if source.is_file() else read_release(source)


def import_trace(trace: Trace, folder: Path) -> Lineage:
    """Make `folder` with a foreign campaign's lineage.

    Raises:
        InterchangeError: `folder` exists, or a trial can't be kept; then nothing is left behind.
    """
    if folder.exists():
        raise InterchangeError(f"{folder} is there already: name a new folder")
    new_parents = [parent for parent in folder.parents if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Made in a temporary folder and renamed, so an interrupted import leaves no partial lineage.
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            partial = Path(scratch) / "partial"
            _write_history(Lineage(Store.create(CampaignPaths(partial).repository)), trace)
            written = Lineage(Store(CampaignPaths(partial).repository)).refresh()
            written.repair_refs()
            write_overview(written)
            partial.rename(folder)
    except BaseException:
        for parent in new_parents:
            parent.rmdir()
        raise
    return Lineage(Store(CampaignPaths(folder).repository)).refresh()


def _write_history(lineage: Lineage, trace: Trace) -> None:
    for line in trace.trials:
        # Git knows no time before its epoch.
        if line.at and line.at < EPOCH:
            raise InterchangeError(
                f"trial {line.id!r} is dated {line.at:%Y}, before 1970: correct its time, or leave it out"
            )
        if line.at and line.at >= _LATEST:
            raise InterchangeError(f"trial {line.id!r} is dated {line.at:%Y}: correct its time, or leave it out")
    entry = _build_campaign(trace)
    lineage.fold(Row("", None, b""), entry)
    drafts = [_draft_entry(lineage, entry)]
    numbers: dict[str, int] = {}
    for line in trace.trials:
        number = len(numbers)
        if line.id in numbers:
            raise InterchangeError(f"trial {line.id!r} comes twice: ids must differ")
        try:
            trial = _build_trial(lineage, number, line, numbers)
        except ValidationError as error:
            raise InterchangeError(f"trial {line.id!r} can't be kept: {describe_problem(error)}") from None
        numbers[line.id] = number
        lineage.fold(Row("", None, b""), trial)
        # Each trial has two drafts: its commit, then the ledger's entry.
        mine = 1 + 2 * number
        drafts += [_draft_trial(trial, lineage.task), _draft_entry(lineage, trial, (mine - 1, mine))]
    lineage.store.write_drafts(drafts)


def _draft_entry(lineage: Lineage, entry: CampaignEntry | Trial, parents: tuple[int, ...] = ()) -> Draft:
    signed = Signature("evaluator", entry.at)
    return Draft({"entry.json": entry.canonical()}, lineage.subject(entry) + "\n", signed, parents)


def _draft_trial(trial: Trial, task: Task) -> Draft:
    files = {"trial.json": trial.canonical()} | ({} if trial.number else {"task.json": task.canonical()})
    parents = () if trial.proposal.parent is None else (1 + 2 * trial.proposal.parent,)
    return Draft(files, trial_message(trial, task), Signature(trial.proposal.specialist, trial.at), parents)


def _build_campaign(trace: Trace) -> CampaignEntry:
    head = trace.campaign
    roles = tuple(dict.fromkeys(_clean_role(line.role) for line in trace.trials[1:])) or ("start",)
    try:
        task = _build_task(head, trace.trials, roles)
    except ValidationError as error:
        raise InterchangeError(f"the campaign can't be kept: {describe_problem(error)}") from None
    first = next((line.at for line in trace.trials if line.at), now())
    return CampaignEntry(
        name=plain_line(head.name, 80),
        task=task.model_dump(mode="json"),
        arm=head.arm,
        read_record=head.read_record,
        specialists=roles,
        isolation="unknown",
        start_tree=NO_RECIPE_TREE,
        digests=trace.digests,
        origin="imported",
        at=first,
    )


def _build_task(head: CampaignLine, trials: tuple[TrialLine, ...], roles: tuple[str, ...]) -> Task:
    """Build the manifest as far as the source describes it, with no phase and no evaluator of ours."""
    metric = head.objective.metric
    used = dict.fromkeys([metric, *(g.metric for g in head.limits), *(name for t in trials for name in t.values)])
    return Task(
        name="imported",
        title=plain_line(head.title, 80),
        summary="Trials of another harness, taken over as it recorded them.",
        objective=head.objective.model_copy(update={"unit": plain_line(head.objective.unit, 16)}),
        gates=tuple(gate.model_copy(update={"rule": "mean"}) for gate in head.limits),
        evaluator=Evaluator(metrics=tuple(name for name in used if name not in HARNESS_METRICS)),
        specialists=tuple(Specialist(name=name, title=name) for name in roles),
    )


def _clean_role(text: str) -> str:
    """Turn a role into a valid name; if characters are lost, a digest of the text keeps two roles apart."""
    name = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")
    name = name if name[:1].isalpha() else f"role-{name}".strip("-")
    if len(name) > 32 or re.search(r"[^A-Za-z0-9 _.-]", text):
        return f"{name[:26].rstrip('-')}-{hashlib.sha256(text.encode(errors='backslashreplace')).hexdigest()[:5]}"
    return name


def _build_trial(lineage: Lineage, number: int, line: TrialLine, numbers: dict[str, int]) -> Trial:
    if (line.status is Status.BASELINE) != (number == 0):
        raise InterchangeError(
            f"trial {line.id!r}: the first trial, and only it, is the measured start (status baseline)"
        )
    metric = lineage.task.objective.metric
    if line.status.measured and metric not in line.values:
        raise InterchangeError(f"trial {line.id!r} is {line.status}, but has no value of {metric!r}")
    repairs = [plain_line(text, 200) for text in line.repairs]
    parent = _find_parent(line, numbers, repairs)
    role = "start" if number == 0 else _note_change("role", line.role, _clean_role(line.role), repairs)
    hypothesis = _note_change("hypothesis", line.hypothesis, plain_line(line.hypothesis, 2000), repairs)
    missing = {"expected_delta": line.expected_delta, "session": line.session, "time": line.at}
    last = lineage.trials[number - 1].at if number else EPOCH
    proposal = Proposal(
        parent=parent,
        title=plain_line(line.title or hypothesis or "no hypothesis", 60),
        hypothesis=hypothesis,
        expected_delta=line.expected_delta or 0.0,
        notes=_note_change("notes", line.notes, plain_line(line.notes, 2000), repairs),
        specialist=role,
        session=re.sub(r"[^A-Za-z0-9_-]+", "-", line.session or "").strip("-_")[:64] or SESSION,
        recipe_tree=NO_RECIPE_TREE,
    )
    failure = None if line.failure is None else plain_line(line.failure, 500)
    imported = Imported(
        id=line.id,
        domain=plain_line(line.domain, 60),
        status=line.status,
        values=line.values,
        n_seeds=line.n_seeds,
        slot_s=line.slot_s,
        failure=failure,
        code=plain_line(line.code, 200),
        missing=(*(name for name, value in missing.items() if value is None), "recipe"),
        repairs=tuple(repairs),
    )
    return take_over(lineage, number, proposal, imported, line.at.astimezone(UTC) if line.at else last)


def _find_parent(line: TrialLine, numbers: dict[str, int], repairs: list[str]) -> int | None:
    if line.parent is None or line.parent in numbers:
        return None if line.parent is None else numbers[line.parent]
    repairs.append(plain_line(f"the parent {line.parent!r} is not an earlier trial: left without one", 200))
    return None


def _note_change(name: str, before: str, after: str, repairs: list[str]) -> str:
    if after != before.strip():
        repairs.append(f"{name} changed to one plain line within its length")
    return after
