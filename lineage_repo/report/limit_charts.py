"""Figures of how close trials came: to the limits, and to what was predicted."""

from collections.abc import Sequence
from statistics import median

from lineage_repo.analysis import facts
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import (
    HEIGHT,
    NARROW,
    Figure,
    Row,
    clamp,
    compute_score_range,
    family_colour,
    family_shape,
    finished,
    format_rounded,
    load,
    named,
    round_value,
    select_fields,
)
from lineage_repo.report.palette import AXIS, FAMILIES, INK

_LEAST_POINTS = 20
_NEAR = 0.05
"""Share of a limit; where every trial keeps further away from it, there is nothing to see."""


def draw_margins(survey: ReportData) -> list[Figure]:
    """One figure per declared limit or gate that a trial missed or came near to."""
    names = dict.fromkeys(name for row in survey.trials for name in row.margins)
    return [found for i, name in enumerate(names) if (found := _margin(survey, name, i))]


def _margin(survey: ReportData, name: str, index: int) -> Figure | None:
    alt, objective = load("altair"), survey.lineage.task.objective
    own = [row.margins[name] for row in survey.trials if name in row.margins]
    points = [(r, r.margins[name], r.value) for r in survey.trials if name in r.margins and r.value is not None]
    known = (facts.collect_margins(survey.lineage.task, trial) for trial in survey.lineage.trials.values())
    limit = next(found[name] for found in known if name in found)
    if len(points) < 2 or min(own) > _NEAR * abs(limit.limit):
        return None
    ordered = sorted(abs(margin) for _, margin, _ in points)
    edge = ordered[int(0.9 * (len(ordered) - 1))] or 1.0
    worst, beyond = compute_score_range(survey)
    unit = limit.unit
    set_ = f"margin{index}"
    rows: list[Row] = [
        {
            "t": row.t,
            "role": row.role,
            "family": row.family,
            "x": round_value(clamp(margin, -edge, edge)),
            "y": round_value(clamp(value, worst, beyond)),
            "margin": round_value(margin),
            "value": round_value(value),
        }
        for row, margin, value in points
    ]
    scale = alt.Scale(domain=[-edge, edge], nice=False)
    x = alt.X(
        "x:Q",
        title=f"margin to {name} {format_rounded(limit.limit)}{' ' + unit if unit else ''} (left of 0: missed)",
        scale=scale,
    )
    y = alt.Y(
        "y:Q",
        title=objective.metric,
        scale=alt.Scale(domain=sorted((worst, beyond)), nice=False, zero=False),
        axis=alt.Axis(format=f".{objective.digits}f"),
    )
    dot = (
        named(set_)
        .mark_point(filled=True, size=18, opacity=0.8)
        .encode(x=x, y=y, color=family_colour(), shape=family_shape())
    )
    tint = named("limit").mark_rect(color=FAMILIES[2].light, opacity=0.08).encode(x=alt.X("a:Q", scale=scale), x2="b:Q")
    wall = named("limit").mark_rule(color=FAMILIES[2].light).encode(x=alt.X("b:Q", scale=scale))
    best = named("limit").mark_rule(color=INK, strokeDash=[4, 3]).encode(y=alt.Y("best:Q"))
    missed = [margin for margin in own if margin < 0]
    reached = survey.lineage.best.score if survey.lineage.best else None
    better = [v for _, m, v in points if m < 0 and reached is not None and objective.gain(v, reached) > 0]
    text = (
        f"{len(missed)} of {len(own)} trials missed it, half of them by less than "
        f"{format_rounded(median(-m for m in missed))}{unit and ' ' + unit}; "
        f"{len(better)} of those measured better than the best."
        if missed
        else "No trial missed it."
    )
    if unseen := len(own) - len(points):
        text += f" {unseen} have no {objective.metric} and are not drawn."
    data: dict[str, Sequence[Row]] = {set_: rows, "limit": [{"a": -edge, "b": 0.0, "best": reached}]}
    title = f"{objective.metric} against {name}"
    return Figure(set_, title, text, finished(alt.layer(tint, dot, wall, best), HEIGHT), data, NARROW)


def draw_calibration(survey: ReportData) -> Figure | None:
    """Predicted against measured; None below twenty trials with both."""
    rows = [row for row in survey.trials if row.expected is not None and row.vs_parent is not None]
    if len(rows) < _LEAST_POINTS:
        return None
    alt, objective = load("altair"), survey.lineage.task.objective
    reach = [
        sorted(abs(v) for v in values)[int(0.95 * (len(rows) - 1))] or 1.0
        for values in ([row.expected or 0.0 for row in rows], [row.vs_parent or 0.0 for row in rows])
    ]
    points = [
        base
        | {
            "x": round_value(clamp(row.expected or 0, -reach[0], reach[0])),
            "y": round_value(clamp(row.vs_parent or 0, -reach[1], reach[1])),
        }
        for base, row in zip(select_fields(rows, "expected", "vs_parent"), rows, strict=True)
    ]
    both = min(reach)
    x = alt.X("x:Q", title="predicted change", scale=alt.Scale(domain=[-reach[0], reach[0]], nice=False))
    y = alt.Y(
        "y:Q", title="measured change against the parent", scale=alt.Scale(domain=[-reach[1], reach[1]], nice=False)
    )
    dot = (
        named("calibration")
        .mark_point(filled=True, size=18, opacity=0.8)
        .encode(x=x, y=y, color=family_colour(), shape=family_shape())
    )
    line = named("diagonal").mark_line(color=AXIS, strokeDash=[4, 3]).encode(x=x, y=y)
    hoped = sum(objective.gain(row.expected or 0, 0.0) > 0 for row in rows)
    gained = sum(objective.gain(row.vs_parent or 0, 0.0) > 0 for row in rows)
    parts = (hoped / len(rows), gained / len(rows))
    text = (
        f"{parts[0]:.0%} of {len(rows)} measured trials predicted a gain, {parts[1]:.0%} had one. Dashed: as predicted."
    )
    data: dict[str, Sequence[Row]] = {
        "calibration": points,
        "diagonal": [{"x": -both, "y": -both}, {"x": both, "y": both}],
    }
    return Figure(
        "calibration", "Predicted against measured", text, finished(alt.layer(line, dot), HEIGHT), data, NARROW
    )
