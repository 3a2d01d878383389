"""The `log` command: answered from the rows beside the repository while they are current.

Apart from the other commands because it imports nothing heavy, like `status`.
"""

import importlib
from pathlib import Path
from typing import Any, NamedTuple

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_text
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.json_shape import fits, parsed
from lineage_repo.storage.files import read_plain

TIP = "tip"
_STATUSES = (
    "baseline",
    "keep",
    "discard",
    "disqualified",
    "size_blocked",
    "train_budget_overrun",
    "eval_budget_overrun",
    "crash",
    "preflight_crash",
    "illegal",
    "harness_abort",
)
"""Those of `records.Status`, which costs more to import than the whole command takes."""


_HEAD = f"{'no.':4} {'outcome':21} {'score':>10} {'to best':>10}  {'from':5}  title  [why]"
"""`to best`: the score less the best one's at that moment, in the metric's own direction."""


_HEADER = {"title": str, "arm": str, "objective": dict}


class Table(NamedTuple):
    """What the file holds."""

    title: str
    arm: str
    objective: dict[str, Any]
    rows: list[list[str]]
    """Number, status, specialist, line, JSON; in the order of recording."""
    tip: str


@click.command()
@campaign_dir
@json_option
@click.option("-n", "limit", type=click.IntRange(1), default=None, help="Show only the newest N.")
@click.option("--status", "wanted", type=click.Choice(_STATUSES), default=None, help="Only this outcome.")
@click.option("--specialist", default=None, help="Only this role's trials.")
@click.option("--graph", "as_graph", is_flag=True, help="Draw who builds on whom; with --status keep, the keeps alone.")
def log(
    directory: Path, as_json: bool, limit: int | None, wanted: str | None, specialist: str | None, as_graph: bool
) -> None:
    """List the trials, newest first. `git -C DIR/lineage.git log --graph best` shows the same record without us."""
    if as_graph:
        if as_json or specialist or wanted not in {None, "keep"}:
            raise click.UsageError(
                "--graph draws all trials, or the keeps with --status keep, and takes -n beside that"
            )
        return print_text(importlib.import_module("lineage_repo.cli.log_rows").graph(directory, wanted, limit))
    table = _table(directory, whole=as_json)
    found = [r for r in reversed(table.rows) if wanted in {None, r[1]} and specialist in {None, r[2]}][:limit]
    if as_json:
        rows = [parsed(row[4]) for row in found]
        return print_json({"schema": "espalier.log/1", "arm": table.arm, "trials": rows})
    print_lines(f"{table.title}, arm {table.arm}", _HEAD, *(row[3] for row in found))
    if not found:
        print_lines("no trial matches", err=True)
    return None


def _table(directory: Path, *, whole: bool) -> Table:
    try:
        tip = CampaignPaths(directory).ledger_ref.read_text("ascii").strip()
        table = read_rows(directory)
    except (OSError, ValueError):
        return _from_git(directory)
    if whole and not all(_is_row(row[4]) for row in table.rows):
        return _from_git(directory, anew=True)
    return table if table.tip == tip else _from_git(directory)


def _is_row(cell: str) -> bool:
    try:
        return isinstance(parsed(cell), dict)
    except ValueError:
        return False


def _from_git(directory: Path, *, anew: bool = False) -> Table:
    return importlib.import_module("lineage_repo.cli.log_rows").current(directory, anew=anew)


def read_rows(directory: Path) -> Table:
    """Read the file; raise `OSError` or `ValueError` where it is missing or torn."""
    return table_of(read_plain(CampaignPaths(directory).log_rows).decode("utf-8"))


def table_of(text: str) -> Table:
    """Parse a file; raise `ValueError` where it is torn."""
    head, *lines = text.split("\n")
    header: dict[str, Any] = parsed(head)
    if len(lines) < 2 or lines[-1] or not lines[-2].startswith(f"{TIP}\t"):
        raise ValueError("torn")
    tip = lines[-2].partition("\t")[2]
    fields = [line.split("\t", 4) for line in lines[:-1] if not line.startswith(f"{TIP}\t")]
    rows = {row[0]: row for row in fields}
    if any(len(row) != 5 for row in rows.values()) or not fits(header, _HEADER):
        raise ValueError("torn")
    return Table(header["title"], header["arm"], header["objective"], list(rows.values()), tip)
