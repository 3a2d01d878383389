"""The commands `report` and `compare`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_answer, print_lines, show_progress
from lineage_repo.progress import report_progress
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.compare_page import render_comparison
from lineage_repo.report.comparison import Comparison, compare_arms
from lineage_repo.report.data import ReportData, build_report_data
from lineage_repo.report.page import draw_figures, render_report
from lineage_repo.report.vega import load_vega_script, write_figures
from lineage_repo.storage.files import write_whole

_Arms = dict[str, list[tuple[str, ReportData]]]
"""Each arm's runs, by name."""


def _report_step(step: str) -> None:
    report_progress(f"{step} ...")


def make_page(data: ReportData) -> str:
    """Return a campaign's report as HTML, reporting progress."""
    return render_report(data, load_vega_script())


def _check_folder(out: Path) -> None:
    if not out.parent.is_dir():
        raise click.ClickException(f"{out.parent} is not a folder: make it first")


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
    help="Standard deviation of one trial's score, from which an imported record gets its intervals.",
)
@show_progress()
def report(directory: Path, out: Path | None, folder: Path | None, noise: float | None) -> None:
    """Write one offline page about DIR, a campaign or a clone: what stands out, what is proven, figures, every trial.

    The page needs no network and no other file. Texts of agents are shown as text and never run.
    """
    if out is None and folder is None:
        raise click.UsageError("name the page by -o report.html, or a folder by --figures")
    if out:
        _check_folder(out)
    _report_step("record")
    data = build_report_data(open_lineage(directory), noise)
    if folder:
        _report_step("figures as files")
        print_lines(f"{folder}: {len(write_figures(draw_figures(data), folder))} files")
    if out:
        write_whole(out, make_page(data).encode())
        print_lines(f"{out}: {len(data.trials)} trials, {out.stat().st_size / 1e6:.2f} MB")


@click.command()
@click.argument("runs", metavar="[ARM=]DIR [ARM=]DIR...", nargs=-1, required=True)
@click.option("-o", "out", default=None, type=click.Path(dir_okay=False, path_type=Path), help="The page to write.")
@click.option("--blocked", is_flag=True, help="The k-th runs of all arms belong together: compare their differences.")
@json_option
@show_progress()
def compare(runs: tuple[str, ...], out: Path | None, blocked: bool, as_json: bool) -> None:
    """Put campaigns on one task side by side, and compare each arm with the first one named.

    Runs with the same ARM form one arm: `espalier compare roles=a roles=b single=c`. A run without an ARM is an arm of
    its own. What is compared is the gain of each run's final head over the start, measured again on fresh seeds:
    `espalier certify DIR --trial HEAD`. A run counts once.
    """
    if len(runs) < 2:
        raise click.UsageError("name two campaigns or more")
    arms = _read_arms(runs)
    if out:
        _check_folder(out)
    comparison = compare_arms(arms, blocked=blocked)
    rows = list(_lines(comparison))
    if out:
        _report_step("page")
        write_whole(out, render_comparison(arms, comparison, load_vega_script()).encode())
        rows.append(f"{out}: {out.stat().st_size / 1e6:.2f} MB")
    print_answer(as_json, "compare", comparison, rows)


def _read_arms(runs: tuple[str, ...]) -> _Arms:
    named = [(arm, Path(path)) for arm, _, path in (run.rpartition("=") for run in runs)]
    uses = Counter(folder.resolve().name for _, folder in named)
    arms: _Arms = {}
    seen: set[tuple[str, str | None]] = set()
    for arm, folder in named:
        lineage, name = open_lineage(folder), folder.resolve().name
        name = name if uses[name] == 1 else str(folder)
        run = (arm or name, lineage.tip)
        if run in seen:  # under another name, or as a clone
            raise click.UsageError(f"{folder} is in one arm twice: more runs than there are would seem to agree")
        seen.add(run)
        arms.setdefault(arm or name, []).append((name, build_report_data(lineage)))
    return arms


def _lines(comparison: Comparison) -> Iterator[str]:
    objective, digits = comparison.objective, comparison.objective.digits
    yield f"compared: {comparison.endpoint}, in {objective.unit}; positive is better"
    for run in comparison.runs:
        again = "-" if run.endpoint is None else f"{run.endpoint:+.{digits}f}"
        if gain := run.endpoint_gain:
            again = objective.gain_text(gain)
        facts = f"{run.trials} trials, {run.keeps} keeps, head {run.head:04d}"
        yield f"{run.arm:16} {again}   ({run.endpoint_note})   {facts}   {run.run}"
    for c in comparison.contrasts:
        difference = "none" if c.difference is None else f"{c.difference:+.{digits}f}"
        line = f"{c.second} minus {c.first}: {difference}"
        if c.low is not None and c.high is not None:
            line += f" ({c.low:+.{digits}f} to {c.high:+.{digits}f}, 95 %), Holm's p {c.adjusted_p:.2g}"
        if c.detectable is not None:
            line += f"; 80 % power for {c.detectable:.{digits}f}"
        yield f"{line}; {c.basis}"
