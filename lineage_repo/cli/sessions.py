"""The `sessions` command: what every session was, and which trials it registered."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions


@click.command()
@campaign_dir
@json_option
@click.option("--specialist", default=None, help="Only this role's sessions.")
@click.option("--trial", type=click.IntRange(1), default=None, help="Only the session that registered this trial.")
def sessions(directory: Path, as_json: bool, specialist: str | None, trial: int | None) -> None:
    """List the sessions, newest first. DIR/sessions/ID holds brief, transcript and tool trace of each."""
    found = [
        report
        for report in reversed(list(read_sessions(directory)))
        if specialist in {None, report.specialist} and (trial is None or trial in report.trials)
    ]
    if as_json:
        rows = [report.model_dump(mode="json") for report in found]
        return print_json({"schema": "espalier.sessions/1", "sessions": rows})
    for report in found:
        print_lines(line(report))
    if not found:
        print_lines("no session matches", err=True)
    return None


def line(report: SessionRecord) -> str:
    """One session as one line of a table."""
    minutes = (report.ended - report.started).total_seconds() / 60
    cost = "-" if report.cost_usd is None else f"{report.cost_usd:.2f}"
    over = report.end_reason not in {None, EndReason.LOST}
    trials = " ".join(f"{number:04d}" for number in report.trials) or (
        "no trial" if over else "trials: see espalier log"
    )
    end = str(report.end_reason or "no end yet")
    error = f"  [{report.error[:80]}]" if report.error else ""
    return f"{report.session:42} {end:14} {report.turns:4} turns {minutes:7.1f} min {cost:>7} USD  {trials}{error}"
