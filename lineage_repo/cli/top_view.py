"""One frame of `espalier top`, as rich renderables.

Every word of the record goes through `_text`: it stays on one line, moves no cursor, and is never read as markup.
"""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lineage_repo.cli.plot import draw_braille
from lineage_repo.cli.status import loop_line, proof_text, sees_text, standing_text
from lineage_repo.model.status_table import CRASHED, KEPT, OVER_LIMIT, family
from lineage_repo.monitor.health import CampaignStatus, TrialNow
from lineage_repo.monitor.host_slots import Slots
from lineage_repo.monitor.overview import RecentTrial, StandingTrial
from lineage_repo.monitor.record_view import level_text
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

Gain = tuple[int, float]
"""A trial's place in the record, and its gain over the start."""


def render_frame(now: CampaignStatus, slots: Slots, gains: Sequence[Gain], heads: Sequence[Gain]) -> RenderableType:
    """Return everything at a glance; `heads` are the steps of the head, the start first."""
    overview = now.overview
    state = _text(now.state, _STATE_COLOURS.get(now.state, ""))
    head = Text("  ").join([_text(overview.campaign, "bold"), state, _text(overview.title, "dim")])
    alarms = [_text(f"▲ {alarm.text}", f"bold {OVER_LIMIT.dark}") for alarm in now.alarms]
    if overview.head is None or overview.anchor is None:
        return Group(head, *alarms, _text("no baseline yet: espalier calibrate measures it", "dim"))
    above = _SideBySide(_plot(now, gains, heads), _facts(now, overview.head, overview.anchor, slots))
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


def _plot(now: CampaignStatus, gains: Sequence[Gain], heads: Sequence[Gain]) -> Panel:
    objective = now.overview.objective
    plot = draw_braille(gains, heads, _PLOT_WIDTH, _PLOT_HEIGHT)
    labels = [objective.text(plot.high), *[""] * (_PLOT_HEIGHT - 2), objective.text(plot.low)]
    grid = Table.grid(padding=(0, 1))
    for label, row in zip(labels, plot.rows, strict=True):
        grid.add_row(Text(label, "dim", justify="right"), Text(row))
    return _panel(grid, f"gain over the start in {objective.unit}; line: the head")


def _facts(now: CampaignStatus, head: StandingTrial, anchor: StandingTrial, slots: Slots) -> Panel:
    overview = now.overview
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim", width=9)
    grid.add_column(ratio=1)
    _add_row(grid, "head", _text(standing_text(overview, head), f"bold {KEPT.dark}"))
    _add_row(grid, "anchor", "the head" if anchor.trial == head.trial else standing_text(overview, anchor))
    if overview.proof:
        doing = now.proof.doing if now.proof else ""
        _add_row(grid, f"proof {overview.proof.proof}", proof_text(overview, overview.proof, doing))
    _add_row(grid, "sees", sees_text(overview))
    keeps = overview.counts.get("keep", 0)
    newest = f", the head's {format_age(head.at, now.at)} ago" if keeps else ""
    demoted = f", demotions {overview.demotions}" if overview.demotions else ""
    _add_row(grid, "kept", f"{keeps} of {overview.trials}{newest}{demoted}")
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
    table = _table(("time", 8), ("trial", 5), ("outcome", 22), ("score", 9), ("gain ±95 %", 29), ("s", 4))
    objective = now.overview.objective
    for trial in now.overview.recent[:_ROWS]:
        group, gain, against = family(trial.status), trial.gain, trial.against
        _add_row(
            table,
            f"{trial.at:%T}",
            f"#{trial.trial:04d}",
            _text(f"{group.mark} {_outcome(trial)}", group.dark),
            "" if trial.score is None else objective.text(trial.score),
            "" if gain is None or against is None else f"{objective.gain_text(gain)} {gain.relation(f'{against:04d}')}",
            f"{trial.seconds:.0f}",
            trial.title + (f"  [{trial.failure}]" if trial.failure else ""),
        )
    return _panel(table, "last outcomes (UTC)")


def _outcome(trial: RecentTrial) -> str:
    detail = level_text(trial.level, trial.demoted_by) or trial.finding or ""
    return f"{trial.status} {detail}".strip()
