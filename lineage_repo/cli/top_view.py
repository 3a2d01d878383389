"""One frame of `espalier top`, as rich renderables.

Every word of the record goes through `_text`: it stays on one line, moves no cursor, and is never read as markup.
"""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lineage_repo.cli.plot import draw_braille
from lineage_repo.cli.status import loop_line
from lineage_repo.model.status_table import CRASHED, KEPT, OVER_LIMIT, family
from lineage_repo.monitor.health import CampaignStatus, TrialNow
from lineage_repo.monitor.host_slots import Slots
from lineage_repo.monitor.overview import BestTrial
from lineage_repo.monitor.run_state import LiveSession
from lineage_repo.text.escape import escape_line
from lineage_repo.text.phrases import format_age

_STATE_COLOURS = {
    "running": KEPT.dark,
    "done": KEPT.dark,
    "paused": OVER_LIMIT.dark,
    "stalled": CRASHED.dark,
    "dead": CRASHED.dark,
}
_PLOT_WIDTH, _PLOT_HEIGHT = 46, 7
_WIDE = 120
"""Columns from which two panels fit side by side."""
_ROWS = 8

Score = tuple[int, float]
"""A trial's number and its score."""


def render_frame(now: CampaignStatus, slots: Slots, scored: Sequence[Score], kept: Sequence[Score]) -> RenderableType:
    """Return everything at a glance; `kept` are the baseline and the keeps, in order."""
    overview = now.overview
    state = _text(now.state, _STATE_COLOURS.get(now.state, ""))
    head = Text("  ").join([_text(overview.campaign, "bold"), state, _text(overview.title, "dim")])
    alarms = [_text(f"▲ {alarm.text}", f"bold {OVER_LIMIT.dark}") for alarm in now.alarms]
    if overview.best is None:
        return Group(head, *alarms, _text("no baseline yet: espalier calibrate measures it", "dim"))
    above = _SideBySide(_plot(now, scored, kept), _facts(now, overview.best, slots))
    return Group(head, *alarms, above, _specialists(now), _recent(now))


class _SideBySide:
    """A plot with its facts beside it, or below it where the terminal is narrow."""

    def __init__(self, plot: Panel, facts: Panel) -> None:
        self._plot, self._facts = plot, facts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < _WIDE:
            yield from (self._plot, self._facts)
            return
        grid = Table.grid(expand=True)
        grid.add_column(width=_PLOT_WIDTH + 16)
        grid.add_column(ratio=1)
        grid.add_row(self._plot, self._facts)
        yield grid


def _text(text: str, style: str = "") -> Text:
    return Text(escape_line(text), style)


def _add_row(table: Table, *cells: str | Text) -> None:
    table.add_row(*(cell if isinstance(cell, Text) else _text(cell) for cell in cells))


def _panel(content: Table, title: str) -> Panel:
    return Panel(content, title=_text(title), title_align="left")


def _plot(now: CampaignStatus, scored: Sequence[Score], kept: Sequence[Score]) -> Panel:
    objective = now.overview.objective
    plot = draw_braille(scored, kept, _PLOT_WIDTH, _PLOT_HEIGHT)
    labels = [objective.text(plot.high), *[""] * (_PLOT_HEIGHT - 2), objective.text(plot.low)]
    grid = Table.grid(padding=(0, 1))
    for label, row in zip(labels, plot.rows, strict=True):
        grid.add_row(Text(label, "dim", justify="right"), Text(row))
    return _panel(grid, f"{objective.metric}, {objective.direction} is better")


def _facts(now: CampaignStatus, best: BestTrial, slots: Slots) -> Panel:
    overview, objective = now.overview, now.overview.objective
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim", width=9)
    grid.add_column(ratio=1)
    score = _text(f"{objective.text(best.score)} {objective.unit}", f"bold {KEPT.dark}")
    _add_row(grid, "best", score.append_text(_text(f"  #{best.trial:04d} {best.title}", "default not bold")))
    baseline = "none" if overview.baseline is None else objective.text(overview.baseline)
    _add_row(grid, "baseline", f"{baseline}  gain {objective.text(overview.gain or 0, '+')}")
    sd = overview.noise_sd
    _add_row(grid, "noise", "unknown: imported" if sd is None else f"±{objective.text(sd)} per seed")
    keeps = overview.counts.get("keep", 0)
    newest = f", the last {format_age(best.at, now.at)} ago" if keeps else ""
    _add_row(grid, "kept", f"{keeps} of {overview.trials}{newest}")
    if now.run:
        _add_row(grid, "loop", loop_line(now))
    squares = "■" * slots.busy + "□" * (slots.total - slots.busy)
    _add_row(grid, "slots", f"{squares} {slots.busy} of {slots.total} busy, {slots.waiting} trials wait")
    families = [family(trial.status) for trial in reversed(overview.recent)]
    marks = Text.assemble(*((each.mark, each.dark) for each in families))
    _add_row(grid, f"last {len(families)}", marks)
    return _panel(grid, "campaign")


def _table(*columns: tuple[str, int]) -> Table:
    table = Table(box=None, expand=True, header_style="dim", pad_edge=False)
    for name, width in columns:
        table.add_column(name, width=width, no_wrap=True)
    table.add_column("title", ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _specialists(now: CampaignStatus) -> Panel:
    table = _table(("specialist", 12), ("trial", 6), ("now", 34), ("for", 14), ("session", 22))
    run = now.run if now.alive else None
    sessions = {session.specialist: session for session in run.live} if run else {}
    waits = {wait.specialist: wait for wait in run.waiting} if run else {}
    trials = {trial.entry.specialist: trial for trial in now.running}
    for name in now.overview.specialists:
        session = sessions.get(name)
        if trial := trials.get(name):
            _add_row(table, name, *_trial_cells(now, trial, session))
        elif session:
            age = format_age(session.since, now.at)
            _add_row(table, name, "", session.doing, age, _usage(session), "")
        elif wait := waits.get(name):
            _add_row(table, name, "", f"waits until {wait.until:%T}", "", "", wait.why)
        else:
            _add_row(table, name, "", _text("no session", "dim"), "", "", "")
    return _panel(table, "specialists")


def _trial_cells(now: CampaignStatus, trial: TrialNow, session: LiveSession | None) -> tuple[str, ...]:
    entry, doing = trial.entry, trial.doing or "starting"
    age, usage = format_age(entry.since, now.at), _usage(session) if session else ""
    return f"#{entry.trial:04d}", doing if trial.alive else "its runner died", age, usage, entry.title


def _usage(session: LiveSession) -> str:
    return f"{session.turns} turns, {session.tokens:,} tok"


def _recent(now: CampaignStatus) -> Panel:
    table = _table(("time", 8), ("trial", 6), ("outcome", 24), ("score", 11), ("vs best", 11), ("s", 6))
    objective = now.overview.objective
    for trial in now.overview.recent[:_ROWS]:
        group = family(trial.status)
        _add_row(
            table,
            f"{trial.at:%T}",
            f"#{trial.trial:04d}",
            _text(f"{group.mark} {trial.status}", group.dark),
            "" if trial.score is None else objective.text(trial.score),
            "" if trial.delta_vs_best is None else objective.text(trial.delta_vs_best, "+"),
            f"{trial.seconds:.0f}",
            trial.title + (f"  [{trial.failure}]" if trial.failure else ""),
        )
    return _panel(table, "last outcomes (UTC)")
