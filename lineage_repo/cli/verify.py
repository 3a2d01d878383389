"""The command `verify`."""

import sys
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_answer
from lineage_repo.record.opening import find_store
from lineage_repo.verification import verify as checks


@click.command()
@campaign_dir
@json_option
@click.option("--quick", is_flag=True, help="Check that every object can be reached, but not the content of each.")
def verify(directory: Path, as_json: bool, quick: bool) -> None:
    """Check a campaign's lineage, or any clone of it, and replay every verdict; exits 1 and names each problem."""
    report = checks.verify(find_store(directory), full=not quick)
    counts = (
        f"ledger entries {report.entries}, trials with the start {report.trials}, keeps {report.keeps}, "
        f"unfinished {len(report.unfinished)}"
    )
    checked = "every trial matches what was imported" if report.imported else "every verdict replays"
    conclusion = (
        f"problems: {len(report.problems)}"
        if report.problems
        else f"ok: {checked}; note the tip elsewhere to detect rewriting"
    )
    rows = [*(f"WRONG  {problem}" for problem in report.problems), counts, f"tip {report.tip}", conclusion]
    print_answer(as_json, "verify", report, rows)
    sys.exit(1 if report.problems else 0)
