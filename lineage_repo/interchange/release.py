"""The tables that the paper released: `results.tsv`, one row per trial, checked against `tree.tsv`.

The reader repairs known damage by the rules of docs/import.md, and lists each repair in its trial.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from lineage_repo.errors import InterchangeError
from lineage_repo.interchange.jsonl import CampaignLine, Trace, TrialLine, describe_problem, hash_file, read_text
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Gate, Objective

_TEXT = {"exp_id", "timestamp", "specialist", "parent_exp", "baseline_exp", "domain", "hypothesis"}
_OTHER = {"expected_delta", "status", "n_seeds", "job_name", "snapshot_path", "notes"}
_DAMAGED = re.compile(rf'" (\S+) ({"|".join(Status)}) ')


class _Environment(NamedTuple):
    """What the tables do not say about a task; the values are the paper's."""

    title: str
    objective: Objective
    limits: tuple[Gate, ...] = ()
    slot: str | None = "total_s"
    """The column with a trial's wall seconds."""


def _choose_environment(path: Path, score: str) -> _Environment:
    match score:
        case "val_bpb":
            limits = (("artifact_bytes", 16_000_000.0), ("train_s", 605.0), ("eval_s", 600.0))
            return _Environment(
                title="Parameter Golf",
                objective=Objective(metric=score, direction="lower", unit="bpb", digits=6),
                limits=tuple(Gate(metric=name, at_most=limit, rule="mean") for name, limit in limits),
            )
        case "core_metric":
            objective = Objective(metric=score, direction="higher", unit="CORE")
            return _Environment(title="NanoChat-D12", objective=objective)
        case "train_s":
            return _Environment(
                title="CIFAR-10 Airbench96",
                objective=Objective(metric=score, direction="lower", unit="s"),
                limits=(Gate(metric="accuracy", at_least=0.96, rule="mean"),),
                # Here total_s is the score again, the mean of ten runs, and not how long the trial took.
                slot=None,
            )
        case _:
            raise InterchangeError(
                f"{path}: the score column {score!r} is not one of the release's: bring JSON lines instead"
            )


def read_release(folder: Path) -> Trace:
    """Read a run of the release; raise `InterchangeError` for a row that no rule repairs."""
    path = folder / "results.tsv"
    header, *rows = _read_table(path) or [[]]
    if header[:7] != ["exp_id", "timestamp", "specialist", "parent_exp", "baseline_exp", "domain", "hypothesis"]:
        raise InterchangeError(f"{path} is not a table of the release: bring JSON lines instead (docs/import.md)")
    environment = _choose_environment(path, header[header.index("status") + 1])
    tree = _read_tree(folder / "tree.tsv")
    trials = [_parse_row(path, header, row, environment, tree) for row in rows]
    campaign = CampaignLine(
        name=folder.name,
        title=environment.title,
        objective=environment.objective,
        limits=environment.limits,
    )
    sources = [folder / name for name in ("results.tsv", "tree.tsv") if (folder / name).is_file()]
    return Trace(campaign, tuple(trials), {p.name: hash_file(p) for p in sources})


def _read_table(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in read_text(path).split("\n") if line]


def _read_tree(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    header, *rows = _read_table(path)
    return {row[0]: dict(zip(header, row, strict=False)) for row in rows}


def _parse_row(
    path: Path, header: list[str], row: list[str], environment: _Environment, tree: dict[str, dict[str, str]]
) -> TrialLine:
    repairs: list[str] = []
    if len(row) != len(header):
        repairs.append(f"{len(row)} fields instead of {len(header)}: split again after the hypothesis")
        row = _split_again(path, header, row)
    cells = dict(zip(header, row, strict=True))
    parent = cells["parent_exp"].removeprefix("exp_")
    if parent != cells["parent_exp"]:
        repairs.append(f"parent {cells['parent_exp']!r} is trial {parent!r} in its other spelling")
    expected = _parse_expected(cells["expected_delta"], repairs)
    twin = tree.get(cells["exp_id"])
    score = environment.objective.metric
    if twin:
        checked = [column for column in ("status", score, "delta_vs_best") if twin.get(column) != cells[column]]
        repairs += [f"tree.tsv gives another {column}: {twin.get(column)!r}" for column in checked]
    try:
        return TrialLine.model_validate(
            _convert_cells(cells, environment, parent) | {"expected_delta": expected, "repairs": tuple(repairs)}
        )
    except ValueError as error:
        problem = describe_problem(error) if isinstance(error, ValidationError) else error
        raise InterchangeError(f"{path}: trial {cells['exp_id']!r} can't be read: {problem}") from None


def _split_again(path: Path, header: list[str], row: list[str]) -> list[str]:
    """Split a damaged row: all after its quoted hypothesis is in the same field, with blanks instead of tabs."""
    matches = [*_DAMAGED.finditer(row[6])] if len(row) == 7 else []
    if not matches:
        raise InterchangeError(
            f"{path}: trial {row[0]!r} has {len(row)} fields instead of {len(header)}, and no rule fits"
        )
    cut = matches[-1].start() + 1
    inner = len(header) - 8
    tokens = row[6][cut + 1 :].split(" ")
    return [*row[:6], row[6][:cut], *tokens[:inner], " ".join(tokens[inner:])]


def _convert_cells(cells: dict[str, str], environment: _Environment, parent: str) -> dict[str, Any]:
    numbers = {name: float(cell) for name, cell in cells.items() if cell and name not in _TEXT | _OTHER}
    runs = int(float(cells.get("n_seeds") or 0))
    return {
        "id": cells["exp_id"],
        "at": datetime.fromisoformat(cells["timestamp"]),
        "parent": parent or None,
        "role": cells["specialist"],
        "domain": cells["domain"],
        "hypothesis": _unquote(cells["hypothesis"]),
        "notes": _unquote(cells["notes"]),
        "status": Status(cells["status"]),
        "values": numbers,
        "n_seeds": runs or None,
        "slot_s": numbers.get(environment.slot) if environment.slot else None,
        "code": cells["snapshot_path"],
    }


def _parse_expected(cell: str, repairs: list[str]) -> float | None:
    """Parse a prediction; agents sent some of them as quoted text."""
    bare = cell.strip('"')
    if bare != cell:
        repairs.append(f"expected_delta {cell} without its quotes")
    try:
        return float(bare) if bare else None
    except ValueError:
        repairs.append(f"expected_delta {cell!r} is not a number: left out")
        return None


def _unquote(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell
