"""Figure: every score, the best so far, and below them what had no score."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lineage_repo.report.data import ReportData, TrialFacts, find_pauses
from lineage_repo.report.figure import (
    Figure,
    Row,
    choose_ticks,
    clamp,
    compute_score_range,
    family_colour,
    family_shape,
    finished,
    format_signed,
    load,
    named,
    round_value,
)
from lineage_repo.report.palette import FAMILIES, GRID, INK, MUTED
from lineage_repo.text.sanitize import clip

X_TITLE = "trial number"
_X = "by == 'time' ? datum.end_h : by == 'slots' ? datum.spent_h : datum.t"
_LABELS = 6
_ROOM = "width > 640"
"""Labels need a wide figure; on a phone they would cover it."""


class _Frame(NamedTuple):
    """The y axis: scores between two edges, and rows for failures beyond the better one."""

    worst: float
    beyond: float

    @property
    def lane(self) -> float:
        return (self.beyond - self.worst) * 0.08

    def row(self, index: int) -> float:
        return self.beyond + self.lane * (index + 0.8)


def draw_progress(survey: ReportData) -> Figure | None:
    """None where no trial was recorded."""
    if not survey.rows:
        return None
    alt, objective = load("altair"), survey.lineage.task.objective
    frame = _Frame(*compute_score_range(survey))
    lanes = [f for f in FAMILIES if any(r.family == f.name and r.score is None for r in survey.trials)]
    marks = [m for row in survey.rows if (m := _mark(row, frame, [f.name for f in lanes]))]
    data: dict[str, Sequence[Row]] = {
        "progress": marks,
        "best": _best(survey),
        "lanes": [{"y": frame.row(i), "label": f.name} for i, f in enumerate(lanes)],
        "labels": _labels(survey, frame),
        "pauses": [
            {"a": round_value(a), "b": round_value(b), "label": f"{b - a:.0f} h"} for a, b in find_pauses(survey.rows)
        ],
    }
    bottom = frame.row(len(lanes) - 1) + frame.lane if lanes else frame.beyond
    low, high = sorted((frame.worst, bottom))
    title = f"{objective.metric}, {objective.unit} ({objective.direction} is better)"
    y = alt.Y("y:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False, zero=False))
    axis = alt.Axis(
        values=choose_ticks(min(frame.worst, frame.beyond), max(frame.worst, frame.beyond)),
        format=f".{objective.digits}f",
    )
    x = alt.X("x:Q", title=X_TITLE, axis=alt.Axis(grid=False, tickCount=8), scale=alt.Scale(nice=False))

    def on(name: str) -> Any:
        return named(name).transform_calculate(x=_X)

    stroke = alt.Stroke(
        "family:N", scale=alt.Scale(domain=[f.name for f in FAMILIES], range=[f.light for f in FAMILIES]), legend=None
    )
    dot = (
        on("progress")
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=x,
            y=y.axis(axis),
            color=family_colour(),
            stroke=stroke,
            shape=family_shape(),
            size=alt.Size("size:Q", scale=None),
            fillOpacity=alt.condition("datum.superseded", alt.value(0), alt.value(0.9)),
            strokeWidth=alt.condition("datum.superseded", alt.value(1.6), alt.value(0)),
        )
    )
    line = on("best").mark_line(interpolate="step-after", color=INK, strokeWidth=2).encode(x=x, y=y)
    band = (
        on("best")
        .mark_area(interpolate="step-after", opacity=0.12, color=FAMILIES[0].light)
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    )
    gap = named("pauses").transform_filter("by == 'time'").mark_rect(color=GRID, opacity=0.7).encode(x="a:Q", x2="b:Q")
    lane = (
        named("lanes")
        .mark_text(align="left", dx=4, dy=-9, fontSize=10, color=MUTED)
        .encode(x=alt.value(0), y=y, text="label:N")
    )
    leader = on("labels").transform_filter(_ROOM).mark_rule(color=MUTED, opacity=0.6).encode(x=x, y=y, y2="from:Q")
    layers = [band, gap, line, dot, leader, *_texts(on, x, y), lane]
    chart = alt.layer(*layers).add_params(alt.param(name="by", value="trial"))
    noise = "" if survey.noise is None else f" Band: ±{survey.noise:.{objective.digits}f}, the noise of one trial."
    text = (
        "The line is the best so far; filled circles are in the best recipe, hollow ones were "
        "kept and superseded. "
        "Marks at the upper or lower edge lie beyond it; rows below hold trials without a score. "
        f"Labels name the largest steps over the parent.{noise}"
    )
    return Figure("progress", "Progress", text, finished(chart, 460), data)


def _texts(on: Callable[[str], Any], x: Any, y: Any) -> list[Any]:
    """Two lines per label, to the left of the leader or, near the axis, to its right."""
    found: list[Any] = []
    for side, dx in (("right", -4), ("left", 4)):
        for field, dy, weight, colour in (("head", -5, "bold", INK), ("what", 7, "normal", MUTED)):
            base = on("labels").transform_filter(f"{_ROOM} && datum.side == '{side}'")
            mark = base.mark_text(align=side, dx=dx, dy=dy, fontSize=10, fontWeight=weight, color=colour)
            found.append(mark.encode(x=x, y=y, text=f"{field}:N"))
    return found


def _mark(row: TrialFacts, frame: _Frame, lanes: Sequence[str]) -> Row | None:
    if row.score is not None:
        y = clamp(row.score, frame.worst, frame.beyond)
    elif row.family in lanes:
        y = frame.row(lanes.index(row.family))
    else:
        return None
    kept = row.family == FAMILIES[0].name
    return {
        "t": row.t,
        "role": row.role,
        "family": row.family,
        "score": round_value(row.score),
        "y": round_value(y),
        "size": 60 if kept else 16,
        "superseded": kept and not row.on_path,
        "end_h": round_value(row.end_h) or 0.0,
        "spent_h": round_value(row.spent_h),
    }


def _best(survey: ReportData) -> list[Row]:
    """The best so far by number: of keeps recorded in another order only those that a lower number does not beat."""
    found: list[Row] = []
    noise, gain = survey.noise or 0.0, survey.lineage.task.objective.gain
    best: float | None = None
    rows = sorted(survey.rows, key=lambda row: row.t)
    for row in rows:
        kept = row.family == FAMILIES[0].name and row.score is not None
        if kept and (best is None or gain(row.score or 0.0, best) > 0):
            best = row.score
        elif row is not rows[-1]:
            continue
        if best is not None:
            at: Row = {
                "t": row.t,
                "end_h": round_value(row.end_h) or 0.0,
                "spent_h": round_value(row.spent_h),
                "y": best,
            }
            found.append({**at, "low": best - noise, "high": best + noise})
    return found


def _labels(survey: ReportData, frame: _Frame) -> list[Row]:
    """The largest steps over the parent and the last one, each below its point and clear of the others."""
    objective = survey.lineage.task.objective
    steps = [row for row in survey.path if row.t and row.vs_parent is not None]
    largest = sorted(steps, key=lambda r: -objective.gain(r.vs_parent or 0.0, 0.0))[:_LABELS]
    chosen = {row.t: row for row in (*largest, *steps[-1:])}
    last, height = max(row.t for row in survey.rows) or 1, frame.beyond - frame.worst
    found: list[Row] = []
    taken: list[tuple[float, float, float]] = []
    for row in sorted(chosen.values(), key=lambda r: -r.t):
        at, point = row.t / last, ((row.score or 0.0) - frame.worst) / height
        side = "right" if at > 0.22 else "left"
        begin, end = (at - 0.22, at + 0.01) if side == "right" else (at - 0.01, at + 0.22)
        level = min(point + 0.07, 0.95)
        while level < 0.96 and any(a < end and begin < b and abs(level - y) < 0.075 for a, b, y in taken):
            level += 0.02
        taken.append((begin, end, level))
        head = f"#{row.t} {row.role} {format_signed(row.vs_parent or 0.0, objective.digits)}"
        title = row.title.partition(": ")[2] or row.title
        where: Row = {"t": row.t, "end_h": round_value(row.end_h) or 0.0, "spent_h": round_value(row.spent_h)}
        text: Row = {"head": head, "what": clip(title, 34), "side": side}
        found.append({**where, **text, "y": frame.worst + level * height, "from": row.score})
    return found
