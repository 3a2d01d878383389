"""The JSON-lines format in which any harness can bring its trials (docs/import.md)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AwareDatetime, Field, FiniteFloat, ValidationError

from lineage_repo.analysis.facts import collect_values, compute_slot_seconds
from lineage_repo.errors import InterchangeError
from lineage_repo.model.ledger import NO_RECIPE_TREE, Arm, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Name, Record, Status
from lineage_repo.model.objective import Gate, Objective
from lineage_repo.record.lineage import Lineage
from lineage_repo.text.escape import escape_line

FORMAT = 2


_Kind = TypeVar("_Kind", bound=Record)


class CampaignLine(Record):
    """The first line: what was searched."""

    kind: Literal["campaign"] = "campaign"
    format: Literal[2] = FORMAT
    name: Annotated[str, Field(min_length=1, max_length=80)]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    objective: Objective
    limits: tuple[Gate, ...] = ()
    """Bounds on a trial's values; only margins are computed from them, never a verdict."""
    arm: Arm | Literal["unknown"] = "unknown"
    """How the search was organised."""
    read_record: bool = True
    """Whether agents read the record."""


class TrialLine(Record):
    """One trial, in the order of recording; the first one is the start, with status `baseline`."""

    kind: Literal["trial"] = "trial"
    id: str
    at: AwareDatetime | None = None
    """When it was recorded."""
    parent: str | None = None
    """Id of an earlier trial."""
    role: str
    status: Status
    hypothesis: str = ""
    title: str = ""
    """Cut from the hypothesis where it is empty."""
    expected_delta: FiniteFloat | None = None
    """Signed, in the objective's unit."""
    notes: str = ""
    domain: str = ""
    values: dict[Name, FiniteFloat] = Field(default={})
    """Every number that was measured; the score is the one that the objective names."""
    n_seeds: Annotated[int, Field(ge=1)] | None = None
    """Runs that the values are means of."""
    slot_s: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """Wall seconds that it held a slot."""
    failure: str | None = None
    session: str | None = None
    code: str = ""
    """Where its code is."""
    repairs: tuple[str, ...] = ()
    """What was changed on the way into this format."""


class Trace(NamedTuple):
    """A foreign campaign as read from its files."""

    campaign: CampaignLine
    trials: tuple[TrialLine, ...]
    digests: dict[str, str]
    """SHA-256 of the files that it was read from, by file name."""


def read_lines(path: Path) -> Trace:
    """Read a JSON-lines file; raise `InterchangeError` that names the line."""
    lines = [(n, line) for n, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
    if not lines:
        raise InterchangeError(f"{path} is empty: its first line describes the campaign (docs/import.md)")
    campaign = _parse_line(path, *lines[0], CampaignLine)
    trials = tuple(_parse_line(path, number, line, TrialLine) for number, line in lines[1:])
    return Trace(campaign, trials, {"trials.jsonl": hash_file(path)})


def read_text(path: Path) -> str:
    """Read a UTF-8 file; raise `InterchangeError` if it is missing or not UTF-8."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InterchangeError(f"{path} does not exist: name a folder with results.tsv, or a .jsonl file") from None
    except UnicodeDecodeError as error:
        raise InterchangeError(f"{path} is not UTF-8 text: {error}") from None


def hash_file(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse_line(path: Path, number: int, line: str, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        problem = describe_problem(error)
        raise InterchangeError(f"{path} line {number}: {problem} (docs/import.md lists the fields)") from None


def describe_problem(error: ValidationError) -> str:
    """Say in one line which field is wrong, and how."""
    first = error.errors()[0]
    where = ".".join(escape_line(str(part)) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def format_lines(lineage: Lineage) -> str:
    """Format a lineage, our own or an imported one, as JSON lines."""
    task = lineage.task
    head = CampaignLine(
        name=lineage.campaign.name,
        title=task.title,
        objective=task.objective,
        limits=task.gates,
        arm=lineage.campaign.arm,
        read_record=lineage.campaign.read_record,
    )
    names = {number: t.imported.id if t.imported else f"{number:04d}" for number, t in lineage.trials.items()}
    records: Iterable[Record] = [head, *(_build_line(task, trial, names) for trial in lineage.trials.values())]
    return "".join(json.dumps(_drop_empty(record), ensure_ascii=False) + "\n" for record in records)


def _drop_empty(record: Record) -> dict[str, Any]:
    raw = record.model_dump(mode="json", exclude_none=True)
    return {key: value for key, value in raw.items() if value not in ("", [], {})}


def _build_line(task: Task, trial: Trial, names: Mapping[int, str]) -> TrialLine:
    proposal, origin = trial.proposal, trial.imported
    snapshot = "" if proposal.recipe_tree == NO_RECIPE_TREE else proposal.recipe_tree
    return TrialLine(
        id=names[trial.number],
        at=None if trial.lacks("time") else trial.at,
        parent=None if proposal.parent is None else names[proposal.parent],
        role=proposal.specialist,
        status=trial.status,
        hypothesis=proposal.hypothesis,
        title=proposal.title,
        expected_delta=None if trial.lacks("expected_delta") else proposal.expected_delta,
        notes=proposal.notes,
        domain=origin.domain if origin else "",
        values=collect_values(task, trial),
        n_seeds=origin.n_seeds if origin else trial.n_seeds,
        slot_s=compute_slot_seconds(trial),
        failure=trial.verdict.failure,
        session=None if trial.lacks("session") else proposal.session,
        code=origin.code if origin else snapshot,
        repairs=origin.repairs if origin else (),
    )
