"""Writes the trials as one flat table, for other programs."""

import csv
import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lineage_repo.analysis.facts import collect_margins, collect_values, compute_slot_seconds
from lineage_repo.errors import InterchangeError
from lineage_repo.interchange.jsonl import format_lines
from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Trial
from lineage_repo.record.claims import Claim, Claims
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.files import write_whole

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins for a spreadsheet, full-width forms included."""

Cell = str | int | float | None


def write_table(lineage: Lineage, out: Path) -> int:
    """Write every trial to `out` in the format of its suffix; return the number of rows."""
    writers: dict[str, Callable[[Lineage], bytes]] = {
        ".tsv": lambda lineage: _format_separated(lineage, "\t"),
        ".csv": lambda lineage: _format_separated(lineage, ","),
        ".parquet": _format_parquet,
        ".jsonl": lambda lineage: format_lines(lineage).encode(),
    }
    if out.suffix not in writers:
        raise InterchangeError(f"{out.name!r} has none of the suffixes {', '.join(writers)}")
    if not out.parent.is_dir():
        raise InterchangeError(f"{out.parent} is not a folder: make it first")
    write_whole(out, writers[out.suffix](lineage))
    return len(lineage.trials)


def build_rows(lineage: Lineage) -> list[dict[str, Cell]]:
    """Return one row per trial, the start first; columns `value.*` and `margin.*` are the union over trials."""
    task, claims = lineage.task, Claims(lineage)
    rows = [_build_row(lineage, claims.of(trial.number), trial) for _, trial in sorted(lineage.trials.items())]
    numbers = [
        {f"value.{name}": value for name, value in collect_values(task, trial).items()}
        | {f"margin.{name}": margin.margin for name, margin in collect_margins(task, trial).items()}
        for _, trial in sorted(lineage.trials.items())
    ]
    names = dict.fromkeys(name for row in numbers for name in row)
    return [row | {name: own.get(name) for name in names} for row, own in zip(rows, numbers, strict=True)]


def _build_row(lineage: Lineage, claim: Claim, trial: Trial) -> dict[str, Cell]:
    proposal, outcome, origin = trial.proposal, trial.verdict, trial.imported
    return {
        "trial": trial.number,
        "at": None if trial.lacks("time") else trial.at.isoformat(),
        "role": proposal.specialist,
        "parent": proposal.parent,
        "status": outcome.status.value,
        "score": outcome.score,
        "against": outcome.against,
        **_gain_cells("gain", outcome.gain),
        "finding": outcome.finding,
        "level": claim.level,
        "demoted_by": claim.demoted_by,
        **_gain_cells("gain_over_start", claim.gain),
        "expected_delta": None if trial.lacks("expected_delta") else proposal.expected_delta,
        "slot_seconds": compute_slot_seconds(trial),
        "session": None if trial.lacks("session") else proposal.session,
        "title": proposal.title,
        "hypothesis": proposal.hypothesis,
        "notes": proposal.notes,
        "failure": outcome.failure,
        "origin": "imported" if origin else "measured",
        "origin_id": origin.id if origin else None,
        "domain": origin.domain if origin else None,
        "repairs": "; ".join(origin.repairs) if origin else None,
        "commit": lineage.commits[trial.number],
    }


def _gain_cells(name: str, gain: Interval | None) -> dict[str, Cell]:
    """Three columns: a gain and the ends of its 95 % interval."""
    return {
        name: gain.mean if gain else None,
        f"{name}_low": gain.low if gain else None,
        f"{name}_high": gain.high if gain else None,
    }


def defuse_cell(cell: Cell) -> Cell:
    """Put an apostrophe before a text that a spreadsheet would run; return anything else unchanged."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA) else cell


def _format_separated(lineage: Lineage, delimiter: str) -> bytes:
    rows = build_rows(lineage)
    text = io.StringIO(newline="")
    # Text is quoted in CSV, or a spreadsheet might split it at another separator and run the rest.
    quoting = csv.QUOTE_NONNUMERIC if delimiter == "," else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    if rows:
        writer.writerow([defuse_cell(name) for name in rows[0]])
    writer.writerows([defuse_cell(cell) for cell in row.values()] for row in rows)
    return text.getvalue().encode()


def _format_parquet(lineage: Lineage) -> bytes:
    try:
        polars: Any = importlib.import_module("polars")
    except ModuleNotFoundError:
        raise InterchangeError(
            "Parquet needs polars: pip install -e '.[analysis]' in a checkout; .tsv and .csv need nothing"
        ) from None
    rows = build_rows(lineage)
    whole = {"trial", "parent", "against", "demoted_by"}
    texts = {"finding", "level", "at", "role", "status", "session", "title", "hypothesis", "notes", "failure"}
    texts |= {"origin", "origin_id", "domain", "repairs", "commit"}
    schema = {
        name: polars.Int64 if name in whole else polars.String if name in texts else polars.Float64
        for name in (rows[0] if rows else ())
    }
    body = io.BytesIO()
    polars.DataFrame(rows, schema=schema, orient="row").write_parquet(body)
    return body.getvalue()
