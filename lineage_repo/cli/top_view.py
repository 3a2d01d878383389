"""One frame of `espalier top`: rich renderables from plain data; every word of an agent is text, never markup."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lineage_repo.cli.plot import Point, braille
from lineage_repo.cli.status import ago, loop_line

_KEPT, _PLAIN, _LIMIT, _TIME, _CRASH, _OURS = "#2fcf9a", "#8b94a1", "#d79a2b", "#b294f2", "#ff7a61", "#8a96a6"
_MARKS = {
    "keep": ("●", _KEPT),
    "baseline": ("●", _KEPT),
    "discard": ("·", _PLAIN),
    "size_blocked": ("▪", _LIMIT),
    "disqualified": ("▪", _LIMIT),
    "illegal": ("▪", _LIMIT),
    "train_budget_overrun": ("◷", _TIME),
    "eval_budget_overrun": ("◷", _TIME),
    "crash": ("×", _CRASH),  # noqa: RUF001 - a mark, no letter
    "preflight_crash": ("×", _CRASH),  # noqa: RUF001
    "harness_abort": ("!", _OURS),
}
_UNKNOWN = ("?", _PLAIN)
_STATES = {"running": _KEPT, "done": _KEPT, "paused": _LIMIT, "stalled": _CRASH, "dead": _CRASH}
_PLOT_WIDTH, _PLOT_HEIGHT = 46, 7
_WIDE = 120
"""Columns from which two panels fit side by side."""
_ROWS = 8

Score = tuple[int, float]
"""A trial's number and its score."""


def frame(found: dict[str, Any], scores: Sequence[Score], keeps: Sequence[Score]) -> RenderableType:
    """Everything at a glance; `keeps` are the baseline and what was kept, in order."""
    head = Text.assemble((found["campaign"], "bold"), "  ", (found["state"], _STATES.get(found["state"], "")), "  ")
    head.append(found["title"], "dim")
    parts: list[RenderableType] = [head]
    parts += [Text(f"▲ {alarm['text']}", f"bold {_LIMIT}") for alarm in found["alarms"]]
    if found["best"] is None:
        return Group(*parts, Text("no baseline yet: espalier calibrate measures it", "dim"))
    above = _Beside(_plot(found, scores, keeps), _facts(found))
    return Group(*parts, above, _specialists(found), _recent(found), Text("q leaves", "dim"))


class _Beside:
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


def _plot(found: dict[str, Any], scores: Sequence[Score], keeps: Sequence[Score]) -> Panel:
    objective = found["objective"]
    points: list[Point] = [(float(n), score) for n, score in scores]
    rows, top, bottom = braille(points, [(float(n), s) for n, s in keeps], _PLOT_WIDTH, _PLOT_HEIGHT)
    labels = [f"{top:.{objective['digits']}f}", *[""] * (_PLOT_HEIGHT - 2), f"{bottom:.{objective['digits']}f}"]
    grid = Table.grid(padding=(0, 1))
    for label, row in zip(labels, rows, strict=True):
        grid.add_row(Text(label, "dim", justify="right"), Text(row))
    return Panel(grid, title=Text(f"{objective['metric']}, {objective['direction']} is better"), title_align="left")


def _facts(found: dict[str, Any]) -> Panel:
    objective, best, loop, slots = found["objective"], found["best"], found["loop"], found["slots"]
    digits, unit = objective["digits"], objective["unit"]
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim", width=9)
    grid.add_column(ratio=1)
    score = Text(f"{best['score']:.{digits}f} {unit}", f"bold {_KEPT}")
    _add(grid, "best", score.append(f"  #{best['trial']:04d} {best['title']}", "default not bold"))
    _add(grid, "baseline", f"{found['baseline']:.{digits}f}  gain {found['gain'] or 0:+.{digits}f}")
    noise = found["noise_sd"]
    _add(grid, "noise", "unknown: imported" if noise is None else f"±{noise:.{digits}f} per seed")
    keeps = found["counts"].get("keep", 0)
    _add(grid, "kept", f"{keeps} of {found['trials']}" + (f", the last {ago(best['at'])} ago" if keeps else ""))
    if "at" in loop:
        _add(grid, "loop", loop_line(found))
    busy = "■" * slots["busy"] + "□" * (slots["total"] - slots["busy"])
    _add(grid, "slots", f"{busy} {slots['busy']} of {slots['total']} busy, {slots['waiting']} trials wait")
    marks = (_MARKS.get(row["status"], _UNKNOWN) for row in reversed(found["recent"]))
    grid.add_row(f"last {len(found['recent'])}", Text.assemble(*marks))
    return Panel(grid, title="campaign", title_align="left")


def _add(table: Table, *cells: str | Text) -> None:
    """One row; a plain cell of rich's own would be read as markup."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))


def _table(*columns: tuple[str, int]) -> Table:
    table = Table(box=None, expand=True, header_style="dim", pad_edge=False)
    for name, width in columns:
        table.add_column(name, width=width, no_wrap=True)
    table.add_column("title", ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _specialists(found: dict[str, Any]) -> Panel:
    table = _table(("specialist", 12), ("trial", 6), ("now", 34), ("for", 14), ("session", 22))
    loop = found["loop"]
    live: list[dict[str, Any]] = loop.get("live", []) if loop["alive"] else []
    sessions = {one["specialist"]: one for one in live}
    waits = {one["specialist"]: one for one in loop.get("waiting", [])} if loop["alive"] else {}
    trials = {entry["specialist"]: entry for entry in found["running"]}
    for name in found["specialists"]:
        trial, session, wait = trials.get(name), sessions.get(name), waits.get(name)
        held = f"{session['turns']} turns, {session['tokens']:,} tok" if session else ""
        if trial:
            now = trial.get("doing", "starting") if trial["alive"] else "its runner died"
            _add(table, name, f"#{trial['trial']:04d}", now, ago(trial["since"]), held, Text(trial["title"]))
        elif session:
            _add(table, name, "", session["doing"], ago(session["since"]), held, "")
        elif wait:
            _add(table, name, "", f"waits until {datetime.fromisoformat(wait['until']):%T}", "", "", wait["why"])
        else:
            _add(table, name, "", Text("no session", "dim"), "", "", "")
    return Panel(table, title="specialists", title_align="left")


def _recent(found: dict[str, Any]) -> Panel:
    table = _table(("time", 8), ("trial", 6), ("outcome", 24), ("score", 11), ("vs best", 11), ("s", 6))
    digits = found["objective"]["digits"]
    for row in found["recent"][:_ROWS]:
        mark, colour = _MARKS.get(row["status"], _UNKNOWN)
        score = "" if row["score"] is None else f"{row['score']:.{digits}f}"
        delta = "" if row["delta_vs_best"] is None else f"{row['delta_vs_best']:+.{digits}f}"
        text = row["title"] + (f"  [{row['failure']}]" if row["failure"] else "")
        at = f"{datetime.fromisoformat(row['at']):%T}"
        outcome = Text(f"{mark} {row['status']}", colour)
        _add(table, at, f"#{row['trial']:04d}", outcome, score, delta, f"{row['seconds']:.0f}", Text(text))
    return Panel(table, title="last outcomes (UTC)", title_align="left")
