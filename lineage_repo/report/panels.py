"""The figures that answer one question each: who, what, how close, how well predicted, how new, what price, when."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.records import Status
from lineage_repo.report.figure import (
    NARROW,
    Figure,
    Row,
    brief,
    clamped,
    family_colour,
    family_shape,
    finished,
    load,
    named,
    rounded,
    score_range,
    shown,
)
from lineage_repo.report.palette import AXIS, FAMILIES, INK, MATRIX, MUTED
from lineage_repo.report.rows import Survey, pauses

_LEAST_POINTS = 20
_NEAR = 0.05
"""Share of a limit; where every trial keeps further away from it, there is nothing to see."""
_HEIGHT = 280


def matrix(survey: Survey) -> Figure | None:
    """Who builds on whom; None where fewer than two roles did."""
    role = {row.t: row.role if row.t else "start" for row in survey.rows}
    pairs = [(role[row.parent], row) for row in survey.trials if row.parent in role]
    if len({row.role for _, row in pairs}) < 2:
        return None
    alt = load("altair")
    attempts = Counter((parent, row.role) for parent, row in pairs)
    keeps = Counter((parent, row.role) for parent, row in pairs if row.status is Status.KEEP)
    names = list(dict.fromkeys(row.role for row in survey.trials))
    data = {
        "matrix": [
            {"parent": parent, "child": child, "attempts": n, "keeps": keeps[parent, child]}
            for (parent, child), n in attempts.items()
        ]
    }
    x = alt.X(
        "child:N", title="built by", sort=names, axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False)
    )
    y = alt.Y("parent:N", title="on a recipe of", sort=["start", *names], axis=alt.Axis(domain=False, ticks=False))
    top = max(attempts.values())
    shade = alt.Opacity("attempts:Q", scale=alt.Scale(domain=[0, top], range=[0.06, 0.75]), legend=None)
    cell = named("matrix").mark_rect(color=MATRIX).encode(x=x, y=y, opacity=shade)
    disc = (
        named("matrix")
        .transform_filter("datum.keeps > 0")
        .mark_circle(color=FAMILIES[0].light, size=240, opacity=1)
        .encode(x=x, y=y)
    )
    number = (
        named("matrix")
        .transform_filter("datum.keeps > 0")
        .mark_text(fontSize=10, fontWeight="bold", color="#ffffff")
        .encode(x=x, y=y, text="keeps:Q")
    )
    crossing = [row for parent, row in pairs if row.status is Status.KEEP and parent not in {"start", row.role}]
    own = [row for parent, row in pairs if row.status is Status.KEEP and parent != "start"]
    text = (
        f"Shade: trials. Disc: keeps. {len(crossing)} of {len(own)} keeps that build on an earlier trial build on "
        "another role's."
    )
    chart = alt.layer(cell, disc, number)
    return Figure("matrix", "Who builds on whom", text, finished(chart, 60 + 24 * len(names)), data, NARROW)


def mix(survey: Survey) -> Figure | None:
    """What became of trials over time; None without trials."""
    if not survey.trials:
        return None
    alt = load("altair")
    size = max(1, -(-len(survey.trials) // 30))
    bins: dict[int, Counter[str]] = {}
    for i, row in enumerate(survey.trials):
        bins.setdefault(i // size, Counter())[row.family] += 1
    order = [f.name for f in FAMILIES]
    rows: list[Row] = []
    for i, counts in bins.items():
        below, whole = 0.0, counts.total()
        for name in order:
            share = counts[name] / whole
            if share:
                a, b = survey.trials[i * size].t, survey.trials[min((i + 1) * size, len(survey.trials)) - 1].t + 1
                rows.append({"family": name, "a": a, "b": b, "n": counts[name], "y": below, "y2": below + share})
            below += share
    x = alt.X("a:Q", title="trial number", axis=alt.Axis(grid=False), scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    chart = named("mix").mark_rect().encode(x=x, x2="b:Q", y=y, y2="y2:Q", color=family_colour())
    text = f"Share of each outcome among {size} trials at a time." if size > 1 else "What became of each trial."
    return Figure("mix", "Outcomes over time", text, finished(chart, _HEIGHT), {"mix": rows}, NARROW)


def margins(survey: Survey) -> list[Figure]:
    """One figure per declared limit or gate that a trial missed or came near to."""
    names = dict.fromkeys(name for row in survey.trials for name in row.margins)
    return [found for i, name in enumerate(names) if (found := _margin(survey, name, i))]


def _margin(survey: Survey, name: str, index: int) -> Figure | None:
    alt, objective = load("altair"), survey.lineage.task.objective
    own = [(row, row.margins[name], row.value) for row in survey.trials if name in row.margins]
    points = [(row, margin, value) for row, margin, value in own if value is not None]
    limits = [m for t in survey.lineage.trials.values() for m in t.outcome.margins if m.name == name]
    if len(points) < 2 or min(margin for _, margin, _ in points) > _NEAR * abs(limits[0].limit):
        return None
    ordered = sorted(abs(margin) for _, margin, _ in points)
    edge = ordered[int(0.9 * (len(ordered) - 1))] or 1.0
    worst, beyond = score_range(survey)
    unit = limits[0].unit
    set_ = f"margin{index}"
    rows: list[Row] = [
        {
            "t": row.t,
            "role": row.role,
            "family": row.family,
            "x": brief(clamped(margin, -edge, edge)),
            "y": brief(clamped(value, worst, beyond)),
            "margin": brief(margin),
            "value": brief(value),
        }
        for row, margin, value in points
    ]
    scale = alt.Scale(domain=[-edge, edge], nice=False)
    x = alt.X(
        "x:Q",
        title=f"margin to {name} {rounded(limits[0].limit)}{' ' + unit if unit else ''} (left of 0: missed)",
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
    missed = [margin for _, margin, _ in points if margin < 0]
    reached = survey.lineage.best.score if survey.lineage.best else None
    better = [v for _, m, v in points if m < 0 and reached is not None and objective.gain(v, reached) > 0]
    text = (
        f"{len(missed)} of {len(points)} trials missed it, half of them by less than "
        f"{rounded(median(-m for m in missed))}{unit and ' ' + unit}; "
        f"{len(better)} of those measured better than the best."
        if missed
        else "No trial missed it."
    )
    data: dict[str, Sequence[Row]] = {set_: rows, "limit": [{"a": -edge, "b": 0.0, "best": reached}]}
    title = f"{objective.metric} against {name}"
    return Figure(set_, title, text, finished(alt.layer(tint, dot, wall, best), _HEIGHT), data, NARROW)


def calibration(survey: Survey) -> Figure | None:
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
            "x": brief(clamped(row.expected or 0, -reach[0], reach[0])),
            "y": brief(clamped(row.vs_parent or 0, -reach[1], reach[1])),
        }
        for base, row in zip(shown(rows, "expected", "vs_parent"), rows, strict=True)
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
        "calibration", "Predicted against measured", text, finished(alt.layer(line, dot), _HEIGHT), data, NARROW
    )


def novelty(survey: Survey) -> Figure | None:
    """How similar each hypothesis is to an earlier one; None where that was not computed."""
    rows = [row for row in survey.trials if row.near is not None]
    if len(rows) < 2:
        return None
    alt = load("altair")
    near = [row.near or 0.0 for row in rows]
    rolling: list[Row] = [
        {"t": rows[i].t, "y": brief(median(near[max(0, i - 24) : i + 1]))}
        for i in range(0, len(rows), max(1, len(rows) // 300))
    ]
    x = alt.X("t:Q", title="trial number", axis=alt.Axis(grid=False), scale=alt.Scale(nice=False))
    scale = alt.Scale(domain=[0, 1])
    dot = (
        named("novelty")
        .mark_point(filled=True, size=14, opacity=0.8)
        .encode(
            x=x,
            y=alt.Y("near:Q", title="similarity to the nearest earlier hypothesis", scale=scale),
            color=family_colour(),
            shape=family_shape(),
        )
    )
    line = named("rolling").mark_line(color=INK).encode(x=x, y="y:Q")
    limit = named("repeat").mark_rule(color=MUTED, strokeDash=[4, 3]).encode(y="y:Q")
    repeats = sum(value >= NEAR for value in near)
    text = (
        f"{repeats} of {len(rows)} repeat an earlier one (similarity {NEAR:.2f} or more, dashed). Line: median of 25."
    )
    data: dict[str, Sequence[Row]] = {
        "novelty": shown(rows, "near", "near_t"),
        "rolling": rolling,
        "repeat": [{"y": NEAR}],
    }
    return Figure(
        "novelty", "How new each proposal is", text, finished(alt.layer(dot, line, limit), _HEIGHT), data, NARROW
    )


def price(survey: Survey) -> Figure | None:
    """Slot-hours per keep; None without a keep or a duration."""
    if not survey.kept or not any(row.slot_h for row in survey.trials):
        return None
    alt = load("altair")
    rows: list[Row] = []
    before = 0.0
    for i, row in enumerate(survey.kept):
        spent = row.spent_h or 0.0
        rows.append(
            {
                "t": row.t,
                "role": row.role,
                "family": row.family,
                "x": i,
                "hours": brief(spent - before),
                "in_best": row.on_path,
            }
        )
        before = spent
    since = (survey.rows[-1].spent_h or 0.0) - before
    rows.append(
        {"t": None, "role": "", "family": FAMILIES[1].name, "x": len(rows), "hours": brief(since), "in_best": True}
    )
    x = alt.X("x:O", title="keeps in order; the last bar is the time since", axis=alt.Axis(labels=False, ticks=False))
    chart = (
        named("price")
        .mark_bar(strokeWidth=1.5)
        .encode(
            x=x,
            y=alt.Y("hours:Q", title="slot-hours since the previous keep"),
            color=family_colour(),
            stroke=family_colour(),
            fillOpacity=alt.condition("datum.in_best", alt.value(1), alt.value(0.15)),
        )
    )
    text = f"Pale bars were superseded. {since:.1f} slot-hours went by since the last keep."
    return Figure("price", "Price of each keep", text, finished(chart, _HEIGHT), {"price": rows}, NARROW)


def slots(survey: Survey) -> Figure | None:
    """What ran when; None where times or durations are missing."""
    rows = [row for row in survey.trials if row.end_h is not None and row.slot_h is not None]
    if not rows:
        return None
    alt = load("altair")
    bars = [
        base | {"a": brief((row.end_h or 0) - (row.slot_h or 0)), "lane2": (row.lane or 0) + 0.8}
        for base, row in zip(shown(rows, "end_h", "lane"), rows, strict=True)
    ]
    lanes = 1 + max(row.lane or 0 for row in rows)
    x = alt.X("a:Q", title="hours since the first trial began", axis=alt.Axis(grid=False), scale=alt.Scale(nice=False))
    y = alt.Y("lane:Q", axis=None, scale=alt.Scale(domain=[lanes, 0], nice=False))
    bar = named("slots").mark_rect().encode(x=x, x2="end_h:Q", y=y, y2="lane2:Q", color=family_colour())
    idle = _idle(survey)
    note = named("idle").mark_text(fontSize=10, color=MUTED).encode(x="x:Q", y=alt.value(10), text="label:N")
    busy = sum(row.slot_h or 0 for row in rows) / (max(row.end_h or 0 for row in rows) or 1)
    text = (
        f"One row per trial that ran at the same time, one bar per trial; {busy:.1f} on average. Named gaps: no record."
    )
    return Figure(
        "slots",
        "Evaluation slots",
        text,
        finished(alt.layer(bar, note), 60 + 16 * min(lanes, 20)),
        {"slots": bars, "idle": idle},
    )


def _idle(survey: Survey) -> list[Row]:
    return [{"x": (a + b) / 2, "label": f"{b - a:.0f} h"} for a, b in pauses(survey.rows, 3.0)]


def panels(survey: Survey) -> list[Figure]:
    """Every figure that the record supports, in order of value."""
    one: list[Any] = [matrix(survey), mix(survey), *margins(survey)]
    two = [calibration(survey), novelty(survey), price(survey), slots(survey)]
    return [figure for figure in (*one, *two) if figure]
