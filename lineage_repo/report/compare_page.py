"""The comparison's page and its two figures."""

from collections.abc import Sequence

from lineage_repo.report.comparison import Arms, Comparison, trace_best
from lineage_repo.report.figure import Figure, Row, finished, format_signed, load, named, round_value
from lineage_repo.report.page import render_page
from lineage_repo.report.palette import ARMS, FAMILIES
from lineage_repo.report.role_table import BAR, split_bar

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1])


def draw_curves(arms: Arms, comparison: Comparison) -> list[Figure]:
    """Best so far by trials, cut where the shortest run ends, and by slot-hours where all runs know theirs."""
    found = [_curve(arms, comparison, "trials", "trial number")]
    if all(line.slot_hours for line in comparison.runs):
        found.append(_curve(arms, comparison, "slot_hours", "slot-hours spent"))
    return found


def _curve(arms: Arms, comparison: Comparison, by: str, x_title: str) -> Figure:
    alt, objective = load("altair"), comparison.objective
    rows: list[Row] = []
    for arm, own in arms.items():
        for name, survey in own:
            rows += [
                {"arm": arm, "run": name, "trials": n, "slot_hours": round_value(hours), "score": score}
                for n, hours, score in trace_best(survey)
            ]
    names = list(arms)
    colour = alt.Color(
        "arm:N",
        scale=alt.Scale(domain=names, range=[ARMS[i % len(ARMS)] for i in range(len(names))]),
        legend=alt.Legend(orient="top", title=None, symbolStrokeWidth=3, labelLimit=0, columns=2),
    )
    dash = alt.StrokeDash(
        "arm:N", scale=alt.Scale(domain=names, range=[_DASHES[i % len(_DASHES)] for i in range(len(names))])
    )
    x = alt.X(f"{by}:Q", title=x_title, axis=alt.Axis(grid=False), scale=alt.Scale(nice=False))
    y = alt.Y(
        "score:Q",
        title=f"{objective.metric}, {objective.unit} ({objective.direction} is better)",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=f".{objective.digits}f"),
    )
    line = (
        named("curves")
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash, detail="run:N")
    )
    data: dict[str, Sequence[Row]] = {"curves": rows}
    title = "Best so far by trials" if by == "trials" else "Best so far by slot-hours"
    return Figure(
        f"best_by_{by}", title, "One line per run; a line ends where its run ended.", finished(line, 340), data
    )


def render_comparison(arms: Arms, comparison: Comparison, vega: str) -> str:
    """The page as HTML, with Vega's script inside."""
    objective, most = comparison.objective, max(line.trials for line in comparison.runs)
    order = [f.name for f in FAMILIES]
    bars = [
        split_bar([name for name in order for _ in range(line.counts.get(name, 0))], most) for line in comparison.runs
    ]
    runs = len(comparison.runs)
    return render_page(
        "compare.html",
        draw_curves(arms, comparison),
        vega,
        {"digits": objective.digits, "x_title": ""},
        title=f"{len(arms)} arms, {runs} run{'s' * (runs != 1)}: {objective.metric} beside each other",
        above=f"compare \u00b7 {objective.direction} {objective.metric} is better \u00b7 unit {objective.unit}",
        lines=list(zip(comparison.runs, bars, strict=True)),
        counts=[(f, sum(line.counts.get(f.name, 0) for line in comparison.runs)) for f in FAMILIES],
        intervals=[
            (i, *(("" if v is None else format_signed(v, objective.digits)) for v in (i.difference, i.low, i.high)))
            for i in comparison.intervals
        ],
        common=comparison.common_trials,
        digits=objective.digits,
        bar=BAR,
    )
