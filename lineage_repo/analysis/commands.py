"""The commands `analyze`, `paper` and `export`."""

import json
from pathlib import Path

import click

from lineage_repo.analysis.paper import recompute
from lineage_repo.analysis.report import analyse
from lineage_repo.analysis.table import write_table
from lineage_repo.commands import open_lineage

_DIR = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@_DIR
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option(
    "--single", type=click.Path(path_type=Path), default=None, help="A campaign with one submitter, for efficiency."
)
def analyze(directory: Path, as_json: bool, single: Path | None) -> None:
    """Say what the trials of DIR show together: progress, roles, diversity, time, limits, predictions.

    Each analysis is defined in its docstring under lineage_repo/analysis/. What the record can't support is said, not
    guessed.
    """
    found = analyse(open_lineage(directory), open_lineage(single) if single else None)
    if as_json:
        return click.echo(json.dumps({"schema": "espalier.analysis/1", **found.model_dump(mode="json")}, indent=1))
    return click.echo("\n".join(line for line in found.lines()))


@click.command()
@_DIR
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def paper(directory: Path, as_json: bool) -> None:
    """Recompute the paper's numbers from its released traces: DIR holds a folder per run, each with results.tsv.

    Every run is imported into a lineage first, so that the numbers go the way that any campaign's go.
    """
    table = recompute(directory)
    if as_json:
        return click.echo(json.dumps({"schema": "espalier.paper/1", **table.model_dump(mode="json")}, indent=1))
    return click.echo("\n".join(table.lines()))


@click.command()
@_DIR
@click.option("-o", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
def export(directory: Path, out: Path) -> None:
    """Write the trials of DIR as a table; the suffix says which: .tsv, .csv, .parquet or .jsonl (docs/import.md).

    In .tsv and .csv a text that a spreadsheet would run as a formula is preceded by an apostrophe; .parquet and .jsonl
    hold every text as it is.
    """
    count = write_table(open_lineage(directory), out)
    click.echo(f"{out}: {count} trials with the start")
