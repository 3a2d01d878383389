"""The comparison's page and its two figures."""

from itertools import cycle, islice
from typing import Any

from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.comparison import Arms, Comparison, Contrast, RunLine, trace_head
from lineage_repo.report.figure import (
    Figure,
    Row,
    describe_gain_axis,
    fill_figure,
    format_gain,
    format_signed,
    round_value,
)
from lineage_repo.report.page import render_page
from lineage_repo.report.palette import ARMS
from lineage_repo.report.role_table import BAR, split_bar

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1])


def draw_curves(arms: Arms, comparison: Comparison) -> list[Figure]:
    """Draw the head's gain over the start by trials, and by slot-hours if all runs know theirs."""
    rows: list[Row] = [
        {"arm": arm, "run": name, "trials": n, "slot_hours": round_value(hours), "gain": gain}
        for arm, own in arms.items()
        for name, data in own
        for n, hours, gain in trace_head(data)
    ]
    style: dict[str, Any] = {
        "arms": list(arms),
        "colours": list(islice(cycle(ARMS), len(arms))),
        "dashes": list(islice(cycle(_DASHES), len(arms))),
        **describe_gain_axis(comparison.objective),
    }
    axes = [("trials", "trial number", "trials")]
    if all(line.slot_hours for line in comparison.runs):
        axes.append(("slot_hours", "slot-hours spent", "slot-hours"))
    return [
        fill_figure("curves", {"curves": rows}, f"head_by_{field}", x_field=field, x_title=title, what=what, **style)
        for field, title, what in axes
    ]


def render_comparison(arms: Arms, comparison: Comparison, vega: str) -> str:
    """Render the page as HTML, with Vega's script inside."""
    objective, most = comparison.objective, max(line.trials for line in comparison.runs)
    bars = [split_bar([name for name, n in line.counts.items() for _ in range(n)], most) for line in comparison.runs]
    runs = len(comparison.runs)
    return render_page(
        "compare.html",
        draw_curves(arms, comparison),
        vega,
        {"digits": objective.digits, "x_title": ""},
        title=f"{len(arms)} arms, {runs} run{'s' * (runs != 1)}: {objective.metric} beside each other",
        above=f"compare \u00b7 {objective.direction} {objective.metric} is better \u00b7 unit {objective.unit}",
        lines=[
            (line, pieces, *_show_gains(line, objective.digits))
            for line, pieces in zip(comparison.runs, bars, strict=True)
        ],
        counts=[(f, sum(line.counts.get(f.name, 0) for line in comparison.runs)) for f in FAMILIES],
        endpoint=comparison.endpoint,
        contrasts=[(contrast, *_show_contrast(contrast, objective.digits)) for contrast in comparison.contrasts],
        common=comparison.common_trials,
        digits=objective.digits,
        bar=BAR,
    )


def _show_gains(line: RunLine, digits: int) -> list[str]:
    """The recorded gain of the final head, and the endpoint."""
    gains = (line.head_claim.gain, line.endpoint_gain)
    recorded, again = ("" if g is None else format_gain(g.mean, g.low, g.high, digits) for g in gains)
    return [recorded, again or ("" if line.endpoint is None else format_signed(line.endpoint, digits))]


def _show_contrast(contrast: Contrast, digits: int) -> list[str]:
    values = (contrast.difference, contrast.low, contrast.high)
    detectable = "" if contrast.detectable is None else f"{contrast.detectable:.{digits}f}"
    return [*("" if value is None else format_signed(value, digits) for value in values), detectable]
