"""Figure: every gain over the start, head and anchor as two lines, and below them the trials without a score."""

from collections.abc import Sequence
from typing import NamedTuple

from lineage_repo.analysis.standings import trace_standings
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData, TrialFacts, find_pauses
from lineage_repo.report.figure import (
    Figure,
    Row,
    choose_ticks,
    clamp,
    compute_gain_range,
    describe_gain_axis,
    fill_figure,
    format_gain,
    round_value,
    to_row,
)
from lineage_repo.text.sanitize import clip

X_TITLE = "trial number"
_LABELS = 6


class _Axis(NamedTuple):
    """The y axis: gains between two edges, and lanes for failures below the worse one."""

    worst: float
    beyond: float

    def place_lane(self, index: float) -> float:
        return self.worst - (self.beyond - self.worst) * 0.08 * (index + 0.8)


def draw_progress(data: ReportData) -> Figure | None:
    """Draw the progress; None if no trial is recorded."""
    if not data.rows:
        return None
    axis = _Axis(*compute_gain_range(data))
    failed = {row.family for row in data.trials if row.score is None}
    lanes = [family.name for family in FAMILIES if family.name in failed]
    bottom = axis.place_lane(len(lanes)) if lanes else axis.worst
    standing = _trace_standing(data)
    rows = {
        "progress": [mark for row in data.rows if (mark := _mark(row, axis, lanes))],
        "standing": standing,
        "names": _name_lines(standing),
        "demotions": _mark_demotions(data, axis),
        "lanes": [{"y": axis.place_lane(i), "label": name} for i, name in enumerate(lanes)],
        "labels": _label_steps(data, axis),
        "pauses": [
            {"a": round_value(a), "b": round_value(b), "label": f"{b - a:.0f} h"} for a, b in find_pauses(data.rows)
        ],
    }
    known = any(row.total_low is not None for row in data.rows)
    noise = " Upright strokes: 95 % intervals." if known else " The noise of these scores is unknown."
    return fill_figure(
        "progress",
        rows,
        x_title=X_TITLE,
        y_domain=[bottom, axis.beyond],
        ticks=choose_ticks(*axis),
        noise=noise,
        **describe_gain_axis(data.objective),
    )


def _x(row: TrialFacts) -> Row:
    """A trial's places on the three x axes that the page offers."""
    return {"t": row.t, "end_h": round_value(row.end_h) or 0.0, "spent_h": round_value(row.spent_h)}


def _mark(row: TrialFacts, axis: _Axis, lanes: Sequence[str]) -> Row | None:
    bounds: dict[str, float | None] = {"y_low": None, "y_high": None}
    if row.total is not None:
        y = clamp(row.total, *axis)
        if row.total_low is not None and row.total_high is not None and axis.worst < row.total < axis.beyond:
            bounds = {"y_low": clamp(row.total_low, *axis), "y_high": clamp(row.total_high, *axis)}
    elif row.family in lanes:
        y = axis.place_lane(lanes.index(row.family))
    else:
        return None
    kept = row.family == FAMILIES[0].name
    size = 60 if kept else 16
    return {**to_row(row, "score", y=y, size=size, superseded=kept and not row.on_path, **bounds), **_x(row)}


def _trace_standing(data: ReportData) -> list[Row]:
    """Two lines: the gains of head and of anchor over the start, as they are known now, after each change."""
    rows: list[Row] = []
    steps = trace_standings(data.lineage)
    ends = [*steps, steps[-1]._replace(trials=len(data.trials))] if steps else []
    for step in ends:
        place = _x(_newest(data, step.trials))
        rows += [
            {**place, "which": which, "y": round_value(_total(data, number))}
            for which, number in (("head", step.head), ("anchor", step.anchor))
        ]
    return rows


def _name_lines(standing: Sequence[Row]) -> list[Row]:
    """A name below the end of each line; one for both where they end together."""
    if len(standing) <= 2:
        return []
    head, anchor = standing[-2:]
    if head["y"] == anchor["y"]:
        return [{**head, "label": "head and anchor"}]
    return [{**line, "label": line["which"]} for line in (head, anchor)]


def _newest(data: ReportData, trials: int) -> TrialFacts:
    """The highest number among the first so many trials, so that no line runs back."""
    return max(data.rows[: trials + 1], key=lambda row: row.t)


def _total(data: ReportData, number: int) -> float:
    gain = data.claims.of(number).gain
    return gain.mean if gain else 0.0


def _mark_demotions(data: ReportData, axis: _Axis) -> list[Row]:
    return [
        {
            **_x(_newest(data, step.trials)),
            "y": clamp(_total(data, step.demoted), *axis),
            "y_low": clamp(_total(data, step.head), *axis),
            "label": f"#{step.demoted} demoted",
        }
        for step in trace_standings(data.lineage)
        if step.demoted is not None
    ]


def _label_steps(data: ReportData, axis: _Axis) -> list[Row]:
    """Label the largest steps of the head and the last one, each below its point and clear of the others."""
    digits = data.objective.digits
    steps = [row for row in data.path if row.t and row.gain is not None and row.total is not None]
    largest = sorted(steps, key=lambda r: -(r.gain or 0.0))[:_LABELS]
    chosen = {row.t: row for row in (*largest, *steps[-1:])}
    last, height = max(row.t for row in data.rows) or 1, axis.beyond - axis.worst
    labels: list[Row] = []
    taken: list[tuple[float, float, float]] = []
    for row in sorted(chosen.values(), key=lambda r: -r.t):
        at, level = row.t / last, min(((row.total or 0.0) - axis.worst) / height + 0.07, 0.95)
        side = "right" if at > 0.22 else "left"
        begin, end = (at - 0.22, at + 0.01) if side == "right" else (at - 0.01, at + 0.22)
        while level < 0.96 and any(a < end and begin < b and abs(level - y) < 0.075 for a, b, y in taken):
            level += 0.02
        taken.append((begin, end, level))
        head = f"#{row.t} {row.role} {format_gain(row.gain, row.low, row.high, digits)}"
        what = clip(row.title.partition(": ")[2] or row.title, 34)
        y = axis.worst + level * height
        labels.append({**_x(row), "head": head, "what": what, "side": side, "y": y, "from": row.total})
    return labels
