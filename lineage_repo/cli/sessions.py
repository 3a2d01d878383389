"""The command `sessions`: what every session was, and which trials it registered."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_answer
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions


@click.command()
@campaign_dir
@json_option
@click.option("--specialist", default=None, help="Show only this role's sessions.")
@click.option("--trial", type=click.IntRange(1), default=None, help="Show only the session that registered this trial.")
def sessions(directory: Path, as_json: bool, specialist: str | None, trial: int | None) -> None:
    """List the sessions, newest first. DIR/sessions/ID holds brief, transcript and tool trace of each."""
    records = [
        record
        for record in reversed(list(read_sessions(directory)))
        if specialist in {None, record.specialist} and (trial is None or trial in record.trials)
    ]
    answer = {"sessions": [record.model_dump(mode="json") for record in records]}
    print_answer(as_json, "sessions", answer, map(_line, records), missing="no session matches")


def _line(record: SessionRecord) -> str:
    minutes = (record.ended - record.started).total_seconds() / 60
    cost = "-" if record.cost_usd is None else f"{record.cost_usd:.2f}"
    # A session that still runs, or that was lost, may have registered trials that its record does not name.
    is_over = record.end_reason not in {None, EndReason.LOST}
    numbers = " ".join(f"{number:04d}" for number in record.trials)
    trials = numbers or ("no trial" if is_over else "trials: see espalier log")
    end = str(record.end_reason or "no end yet")
    error = f"  [{record.error[:80]}]" if record.error else ""
    return f"{record.session:42} {end:14} {record.turns:4} turns {minutes:7.1f} min {cost:>7} USD  {trials}{error}"
