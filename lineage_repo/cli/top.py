"""The command `top`: a live picture of a campaign, read from files alone, so that it never disturbs the run."""

import os
import select
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from lineage_repo.analysis.standings import trace_standings
from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_json
from lineage_repo.cli.status import status_json
from lineage_repo.cli.top_view import render_frame
from lineage_repo.monitor.health import read_status
from lineage_repo.monitor.host_slots import read_slots
from lineage_repo.record.claims import Claims
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage

_EVERY_S = 1.0


@click.command()
@campaign_dir
@click.option("--once", is_flag=True, help="Print one frame and leave; this is what happens outside a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print what `status --json` prints, once.")
def top(directory: Path, once: bool, as_json: bool) -> None:
    """Watch a campaign: specialists, slots, spending against caps, outcomes, alarms. q or Ctrl-C leaves."""
    if as_json:
        return print_json(status_json(read_status(directory)))
    lineage, console = open_lineage(directory), Console(highlight=False)
    if once or not console.is_terminal:
        # Where nothing says how wide the output is, it is as wide as the frame needs.
        wide = console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=140)
        return wide.print(_read_frame(directory, lineage))
    with _read_keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                frame = Group(_read_frame(directory, lineage), Text("q leaves", "dim"))
                live.update(frame, refresh=True)
                if _wait_for_key() in {"q", "Q"}:
                    return None
        except KeyboardInterrupt:
            return None


def _read_frame(directory: Path, lineage: Lineage) -> RenderableType:
    claims = Claims(lineage.refresh())
    numbers = [trial.number for trial in lineage.trials.values()]
    gains = [(place, gain) for place, n in enumerate(numbers) if (gain := _gain(claims, n)) is not None]
    heads = [(step.trials, _gain(claims, step.head) or 0.0) for step in trace_standings(lineage)]
    return render_frame(read_status(directory), read_slots(os.environ), gains, heads or [(0, 0.0)])


def _gain(claims: Claims, number: int) -> float | None:
    """Return a trial's gain over the start; 0 for the start itself."""
    gain = claims.of(number).gain
    return 0.0 if number == 0 else gain.mean if gain else None


@contextmanager
def _read_keys() -> Generator[None]:
    """Read single keys from the terminal while the block runs, then put the terminal back as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _wait_for_key() -> str:
    """Return the key that is pressed within the time of a frame; empty for none."""
    ready, _, _ = select.select([sys.stdin] if sys.stdin.isatty() else [], [], [], _EVERY_S)
    return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""
