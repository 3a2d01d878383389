"""The `top` command: a live picture of a campaign, from files alone, so that it never disturbs the run."""

import os
import select
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.live import Live

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_json
from lineage_repo.cli.top_view import frame
from lineage_repo.model.measurement import Status
from lineage_repo.monitor import host_slots
from lineage_repo.monitor.health import look
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage
from lineage_repo.text.escape import escape_data

_EVERY_S = 1.0


@click.command()
@campaign_dir
@click.option("--once", is_flag=True, help="Print one frame and leave, as where the output is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="What `status --json` prints, once.")
def top(directory: Path, once: bool, as_json: bool) -> None:
    """Watch a campaign: specialists, slots, spend against caps, outcomes, alarms. q or Ctrl-C leaves."""
    if as_json:
        return print_json(_facts(directory))
    lineage, console = open_lineage(directory), Console(highlight=False)
    if once or not console.is_terminal:
        # As wide as the frame needs where nothing says how wide the output is.
        wide = console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=140)
        return wide.print(_frame(directory, lineage))
    with _keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(_frame(directory, lineage), refresh=True)
                if _pressed() in {"q", "Q"}:
                    return None
        except KeyboardInterrupt:
            return None


def _facts(directory: Path) -> dict[str, Any]:
    return {**look(directory), "slots": host_slots.slots(os.environ)}


def _frame(directory: Path, lineage: Lineage) -> RenderableType:
    trials = lineage.refresh().trials.values()
    keeps = [(t.number, t.score) for t in trials if t.status in {Status.BASELINE, Status.KEEP} and t.score is not None]
    return frame(escape_data(_facts(directory)), [(t.number, t.score) for t in trials if t.score is not None], keeps)


@contextmanager
def _keys() -> Generator[None]:
    """Read single keys from the terminal; it is put back as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed() -> str:
    """The key that is pressed within the time of a frame; empty for none."""
    ready, _, _ = select.select([sys.stdin] if sys.stdin.isatty() else [], [], [], _EVERY_S)
    return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""
