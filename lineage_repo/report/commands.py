"""The commands `report` and `compare`."""

from pathlib import Path

import click

from lineage_repo.commands import open_lineage
from lineage_repo.files import write_whole
from lineage_repo.report.figure import ReportError
from lineage_repo.report.page import figures, report_page
from lineage_repo.report.rows import digest
from lineage_repo.report.runtime import write_figures


def tell(what: str) -> None:
    """Say on standard error what is being done."""
    click.echo(f"{what} ...", err=True)


def place(out: Path) -> None:
    """Raise `ReportError` where `out` can't be written."""
    if not out.parent.is_dir():
        raise ReportError(f"{out.parent} is no folder: make it first")


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "out", default=None, type=click.Path(dir_okay=False, path_type=Path), help="The page to write.")
@click.option(
    "--figures",
    "folder",
    default=None,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for every figure as SVG, PNG and CSV.",
)
@click.option(
    "--noise",
    default=None,
    type=click.FloatRange(0, min_open=True),
    help="Standard deviation of one trial's score, for a record that holds no calibration.",
)
def report(directory: Path, out: Path | None, folder: Path | None, noise: float | None) -> None:
    """Write one offline page about DIR, a campaign or a clone: findings, figures, every trial.

    The page needs no network and no other file. Texts of agents are shown as text and never run.
    """
    if out is None and folder is None:
        raise click.UsageError("name the page by -o report.html, or a folder by --figures")
    if out:
        place(out)
    tell("record")
    found = digest(open_lineage(directory), noise)
    if folder:
        tell("figures as files")
        click.echo(f"{folder}: {len(write_figures(figures(found), folder))} files")
    if out:
        write_whole(out, report_page(found, tell).encode())
        click.echo(f"{out}: {len(found.trials)} trials, {out.stat().st_size / 1e6:.2f} MB")
