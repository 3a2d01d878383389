"""The commands `analyze` and `export`."""

import os
from pathlib import Path

import click

from lineage_repo.analysis.summary import analyze_lineage
from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_answer, print_lines, show_progress
from lineage_repo.cli.report import make_page
from lineage_repo.interchange.bundle import write_bundle
from lineage_repo.interchange.table import write_table
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.data import build_report_data
from lineage_repo.text.redact import Redactor


@click.command()
@campaign_dir
@json_option
@click.option(
    "--single", type=click.Path(path_type=Path), default=None, help="A campaign with one submitter, for efficiency."
)
def analyze(directory: Path, as_json: bool, single: Path | None) -> None:
    """Show what the trials of DIR say together: progress, roles, diversity, time, limits, predictions.

    The docstrings under lineage_repo/analysis/ define each analysis. Where the record can't support one, the reason
    is given instead of a guess.
    """
    analysis = analyze_lineage(open_lineage(directory), open_lineage(single) if single else None)
    print_answer(as_json, "analysis", analysis, analysis.lines())


@click.command()
@campaign_dir
@click.option("-o", "out", default=None, type=click.Path(dir_okay=False, path_type=Path), help="The table to write.")
@click.option("--bundle", default=None, type=click.Path(path_type=Path), help="A new folder for the public bundle.")
@click.option("--as-is", is_flag=True, help="Make the bundle even where the record holds something private.")
def export(directory: Path, out: Path | None, bundle: Path | None, as_is: bool) -> None:
    """Write the trials of DIR as a table (-o), or the record and its report for the public (--bundle), or both.

    The table's suffix names its format: .tsv, .csv, .parquet or .jsonl (docs/import.md). In .tsv and .csv an apostrophe
    precedes each text that a spreadsheet would run as a formula; .parquet and .jsonl hold every text as it is.

    A bundle holds the record and a report, but no log, artifact or session. The record is searched first for
    credentials, this host's name, your home folder and the campaign's; if it holds one of them, nothing is written.
    """
    if out is None and bundle is None:
        raise click.UsageError("name a table by -o, or a folder by --bundle")
    lineage = open_lineage(directory)
    if out:
        print_lines(f"{out}: {write_table(lineage, out)} trials with the start")
    if bundle:
        private = {
            "your home folder": str(Path.home()),
            "the campaign's folder": str(directory.resolve()),
            "this host's name": os.uname().nodename,
        }
        redactor = Redactor.from_environment(os.environ)
        with show_progress():
            write_bundle(lineage, bundle, private, redactor, lambda: make_page(build_report_data(lineage)), as_is=as_is)
        print_lines(f"{bundle}: lineage.bundle, report.html, README.md; tip {lineage.tip}")
