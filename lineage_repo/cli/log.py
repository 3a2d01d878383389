"""The command `log`: answered from the rows beside the repository while they are current, else from git.

Imports nothing heavy, like `status`.
"""

from contextlib import suppress
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_text
from lineage_repo.model.status_table import STATUSES
from lineage_repo.monitor.json_shape import parse_json
from lineage_repo.monitor.log_table import LogTable, read_log_table
from lineage_repo.monitor.record_view import read_tip

_HEAD = f"{'no.':4} {'outcome':20} {'score':>8} {'gain ±95 %':15} {'head then':13}  title  [why]"


@click.command()
@campaign_dir
@json_option
@click.option("-n", "limit", type=click.IntRange(1), default=None, help="Show only the newest N.")
@click.option("--status", "status", type=click.Choice(STATUSES), default=None, help="Show only trials that ended so.")
@click.option("--specialist", default=None, help="Show only this role's trials.")
@click.option(
    "--graph", "as_graph", is_flag=True, help="Draw which trial builds on which; with --status keep, only the keeps."
)
def log(
    directory: Path, as_json: bool, limit: int | None, status: str | None, specialist: str | None, as_graph: bool
) -> None:
    """List trials, proofs and demotions, newest first. A gain is over the head when the trial was measured, with half
    of its 95 % interval; the outcome of a keep says how well it is proven now.

    `git -C DIR/lineage.git log --graph head` shows the same record without us.
    """
    if as_graph:
        if as_json or specialist or status not in {None, "keep"}:
            raise click.UsageError("--graph draws all trials, or the keeps with --status keep; it also takes -n")
        from lineage_repo.monitor.log_rows import draw_graph

        return print_text(draw_graph(directory, keeps_only=status is not None, limit=limit))
    table = _load_table(directory, check_json=as_json)
    rows = [
        row for row in reversed(table.rows) if status in {None, row.status} and specialist in {None, row.specialist}
    ][:limit]
    if as_json:
        trials = [parse_json(row.json) for row in rows if row.is_trial]
        events = [parse_json(row.json) for row in rows if not row.is_trial]
        head = {"schema": "espalier.log/2", "arm": table.header.arm}
        return print_json({**head, "trials": trials, "proofs_and_demotions": events})
    objective = table.header.objective
    what = f"{objective.metric} in {objective.unit}, {objective.direction} is better; a gain is better where positive"
    print_lines(f"{table.header.title}, arm {table.header.arm}", what, _HEAD, *(row.line for row in rows))
    if not rows:
        print_lines("no trial matches", err=True)
    return None


def _load_table(directory: Path, *, check_json: bool) -> LogTable:
    """Return the log of a campaign or a clone, with `check_json` one whose JSON columns can all be read.

    Raises:
        RecordError: `directory` is neither a campaign nor a clone of a lineage.
    """
    table: LogTable | None = None
    with suppress(OSError, ValueError):
        table = read_log_table(directory)
    has_broken_json = check_json and table is not None and not all(row.has_json for row in table.rows)
    if table is None or has_broken_json or table.tip != read_tip(directory):
        from lineage_repo.monitor.log_rows import update_log_table

        table = update_log_table(directory, anew=has_broken_json)
    return table
