"""The commands `report` and `compare`."""

from collections import Counter
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.errors import UnsupportedError
from lineage_repo.progress import progress_to, report_progress
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.compare_page import render_comparison
from lineage_repo.report.comparison import Comparison, compare_arms
from lineage_repo.report.data import ReportData, build_report_data
from lineage_repo.report.page import draw_figures, render_report
from lineage_repo.report.vega import load_vega_script, write_figures
from lineage_repo.storage.files import write_whole


def check_parent(out: Path) -> None:
    """Raise `UnsupportedError` if the folder of `out` does not exist."""
    if not out.parent.is_dir():
        raise UnsupportedError(f"{out.parent} is not a folder: make it first")


@click.command()
@campaign_dir
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
        check_parent(out)
    with progress_to(print_progress):
        report_progress("record ...")
        data = build_report_data(open_lineage(directory), noise)
        if folder:
            report_progress("figures as files ...")
            print_lines(f"{folder}: {len(write_figures(draw_figures(data), folder))} files")
        if out:
            write_whole(out, render_report(data, load_vega_script()).encode())
            print_lines(f"{out}: {len(data.trials)} trials, {out.stat().st_size / 1e6:.2f} MB")


@click.command()
@click.argument("runs", metavar="[ARM=]DIR [ARM=]DIR...", nargs=-1, required=True)
@click.option("-o", "out", default=None, type=click.Path(dir_okay=False, path_type=Path), help="The page to write.")
@json_option
def compare(runs: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Put campaigns on one task side by side: best so far, tables, intervals of the differences.

    Runs with the same ARM are one arm: `espalier compare roles=a roles=b single=c`. Without a name each run is an arm.
    """
    named = [(arm, Path(path)) for arm, _, path in (run.rpartition("=") for run in runs)]
    names = Counter(folder.resolve().name for _, folder in named)
    if len(named) < 2:
        raise click.UsageError("name two campaigns or more")
    arms: dict[str, list[tuple[str, ReportData]]] = {}
    seen: set[tuple[str, str | None]] = set()
    for arm, folder in named:
        name, lineage = folder.resolve().name, open_lineage(folder)
        name = name if names[name] == 1 else str(folder)
        if (run := (arm or name, lineage.tip)) in seen:  # under another name, or in a clone
            raise click.UsageError(f"{folder} is in one arm twice: more runs than there are would seem to agree")
        seen.add(run)
        arms.setdefault(arm or name, []).append((name, build_report_data(lineage)))
    if out:
        check_parent(out)
    comparison = compare_arms(arms)
    if out:
        print_progress("page ...")
        write_whole(out, render_comparison(arms, comparison, load_vega_script()).encode())
    if as_json:
        return print_json({"schema": "espalier.compare/1", **comparison.model_dump(mode="json")})
    lines = _format_comparison(comparison)
    return print_lines(*lines, *([f"{out}: {out.stat().st_size / 1e6:.2f} MB"] if out else []))


def _format_comparison(comparison: Comparison) -> list[str]:
    digits = comparison.objective.digits
    lines = [
        f"{line.arm:24} {line.best_at:.{digits}f} after {comparison.common_trials}   "
        f"{line.best:.{digits}f} after {line.trials}   {line.keeps} keeps   {line.run}"
        for line in comparison.runs
    ]
    for i in comparison.intervals:
        span = "" if i.low is None or i.high is None else f" ({i.low:+.{digits}f} to {i.high:+.{digits}f})"
        lines.append(f"{i.what}, {i.second} minus {i.first}: {i.difference:+.{digits}f}{span}; {i.basis}")
    return lines
