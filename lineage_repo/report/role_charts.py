"""The figures that answer one question each: who, what and how new; aims.py and costs.py have the others."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.model.measurement import Status
from lineage_repo.report.cost_charts import draw_price, draw_slots
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import (
    HEIGHT,
    NARROW,
    Figure,
    Row,
    family_colour,
    family_shape,
    finished,
    load,
    named,
    round_value,
    select_fields,
)
from lineage_repo.report.limit_charts import draw_calibration, draw_margins
from lineage_repo.report.palette import FAMILIES, INK, MATRIX, MUTED


def draw_matrix(survey: ReportData) -> Figure | None:
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


def draw_mix(survey: ReportData) -> Figure | None:
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
    return Figure("mix", "Outcomes over time", text, finished(chart, HEIGHT), {"mix": rows}, NARROW)


def draw_novelty(survey: ReportData) -> Figure | None:
    """How similar each hypothesis is to an earlier one; None where that was not computed."""
    rows = [row for row in survey.trials if row.near is not None]
    if len(rows) < 2:
        return None
    alt = load("altair")
    near = [row.near or 0.0 for row in rows]
    rolling: list[Row] = [
        {"t": rows[i].t, "y": round_value(median(near[max(0, i - 24) : i + 1]))}
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
        "novelty": select_fields(rows, "near", "near_t"),
        "rolling": rolling,
        "repeat": [{"y": NEAR}],
    }
    return Figure(
        "novelty", "How new each proposal is", text, finished(alt.layer(dot, line, limit), HEIGHT), data, NARROW
    )


def panels(survey: ReportData) -> list[Figure]:
    """Every figure that the record supports, in order of value."""
    one: list[Any] = [draw_matrix(survey), draw_mix(survey), *draw_margins(survey)]
    two = [draw_calibration(survey), draw_novelty(survey), draw_price(survey), draw_slots(survey)]
    return [figure for figure in (*one, *two) if figure]
