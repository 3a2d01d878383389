"""Figures of what the search cost: per keep, and over time."""

from lineage_repo.report.data import ReportData, find_pauses
from lineage_repo.report.figure import (
    HEIGHT,
    NARROW,
    Figure,
    Row,
    family_colour,
    finished,
    load,
    named,
    round_value,
    select_fields,
)
from lineage_repo.report.palette import FAMILIES, MUTED


def draw_price(survey: ReportData) -> Figure | None:
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
                "hours": round_value(spent - before),
                "in_best": row.on_path,
            }
        )
        before = spent
    since = (survey.rows[-1].spent_h or 0.0) - before
    rows.append(
        {
            "t": None,
            "role": "",
            "family": FAMILIES[1].name,
            "x": len(rows),
            "hours": round_value(since),
            "in_best": True,
        }
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
    return Figure("price", "Price of each keep", text, finished(chart, HEIGHT), {"price": rows}, NARROW)


def draw_slots(survey: ReportData) -> Figure | None:
    """What ran when; None where times or durations are missing."""
    rows = [row for row in survey.trials if row.end_h is not None and row.slot_h is not None]
    if not rows:
        return None
    alt = load("altair")
    bars = [
        base | {"a": round_value((row.end_h or 0) - (row.slot_h or 0)), "lane2": (row.lane or 0) + 0.8}
        for base, row in zip(select_fields(rows, "end_h", "lane"), rows, strict=True)
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


def _idle(survey: ReportData) -> list[Row]:
    return [{"x": (a + b) / 2, "label": f"{b - a:.0f} h"} for a, b in find_pauses(survey.rows, 3.0)]
