"""The commands `analyze` and `export`."""

import os
from pathlib import Path

import click

from lineage_repo.analysis.summary import analyze_lineage
from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.interchange.bundle import write_bundle
from lineage_repo.interchange.table import write_table
from lineage_repo.progress import progress_to
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.data import build_report_data
from lineage_repo.report.page import render_report
from lineage_repo.report.vega import load_vega_script
from lineage_repo.text.redact import Redactor


@click.command()
@campaign_dir
@json_option
@click.option(
    "--single", type=click.Path(path_type=Path), default=None, help="A campaign with one submitter, for efficiency."
)
def analyze(directory: Path, as_json: bool, single: Path | None) -> None:
    """Say what the trials of DIR show together: progress, roles, diversity, time, limits, predictions.

    Each analysis is defined in its docstring under lineage_repo/analysis/. What the record can't support is said, not
    guessed.
    """
    analysis = analyze_lineage(open_lineage(directory), open_lineage(single) if single else None)
    if as_json:
        return print_json({"schema": "espalier.analysis/1", **analysis.model_dump(mode="json")})
    return print_lines(*analysis.lines())


@click.command()
@campaign_dir
@click.option("-o", "out", default=None, type=click.Path(dir_okay=False, path_type=Path), help="The table to write.")
@click.option("--bundle", default=None, type=click.Path(path_type=Path), help="A new folder for the public bundle.")
@click.option("--as-is", is_flag=True, help="Make the bundle even where the record holds something private.")
def export(directory: Path, out: Path | None, bundle: Path | None, as_is: bool) -> None:
    """Write the trials of DIR as a table (-o), or the record and its report for the public (--bundle), or both.

    The table's suffix says which: .tsv, .csv, .parquet or .jsonl (docs/import.md). In .tsv and .csv a text that a
    spreadsheet would run as a formula is preceded by an apostrophe; .parquet and .jsonl hold every text as it is.

    A bundle holds the record and a report, no log, artifact or session. The record is searched first for credentials,
    this host's name, your home folder and the campaign's; where it holds one, nothing is written.
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
        with progress_to(print_progress):
            write_bundle(
                lineage,
                bundle,
                private,
                Redactor.from_environment(os.environ),
                lambda: render_report(build_report_data(lineage), load_vega_script()),
                as_is=as_is,
            )
        print_lines(f"{bundle}: lineage.bundle, report.html, README.md; tip {lineage.tip}")
