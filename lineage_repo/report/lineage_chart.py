"""Figure: the path to the best recipe, with every other attempt on each of its steps."""

from collections.abc import Sequence

from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.figure import Figure, Row, family_colour, finished, format_signed, load, named
from lineage_repo.report.palette import FAMILIES, INK, MUTED

_STEPS = 28
"""More do not fit beside each other; the newest are shown."""
_COLUMN = 16
_ROOM = 0.86


def draw_lineage(survey: ReportData) -> Figure | None:
    """None where nothing was tried."""
    if not survey.trials or not survey.path:
        return None
    alt = load("altair")
    path = survey.path[-_STEPS:]
    places = {row.t: i for i, row in enumerate(path)}
    attempts = [row for row in survey.trials if row.parent in places and not row.on_path]
    dots = _dots(attempts, places)
    high = max((float(dot["y"] or 0) for dot in dots), default=1.0)
    data: dict[str, Sequence[Row]] = {"spine": _nodes(survey, path), "attempts": dots, "counts": _counts(dots)}
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.6, len(path) - 0.4], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-6.5, max(high, 8) + 2], nice=False))
    line = named("spine").mark_line(color=FAMILIES[0].light, strokeWidth=2).encode(x=x, y=y)
    node = (
        named("spine")
        .mark_circle(color=FAMILIES[0].light, opacity=1)
        .encode(x=x, y=y, size=alt.Size("size:Q", scale=None))
    )
    dot = named("attempts").mark_circle(size=14, opacity=0.9).encode(x=x, y=y, color=family_colour())
    count = named("counts").mark_text(fontSize=10, color=MUTED, dy=-8).encode(x=x, y=y, text="n:Q")
    texts = [
        named("spine").mark_text(fontSize=size, dy=dy, color=colour).encode(x=x, y=y, text=f"{field}:N")
        for field, size, dy, colour in (("id", 11, 22, INK), ("role", 10, 35, MUTED), ("gain", 10, 48, MUTED))
    ]
    cut = f" The newest {_STEPS} of {len(survey.path)} steps." if len(survey.path) > _STEPS else ""
    text = (
        "From left to right the recipes that led to the best one; above each, every other trial rooted from it, in the "
        f"order of recording. Below: number, role, gain over the parent.{cut} {_aside(survey)}"
    )
    return Figure(
        "lineage", "Lineage of the best recipe", text, finished(alt.layer(line, dot, node, count, *texts), 300), data
    )


def _nodes(survey: ReportData, path: Sequence[TrialFacts]) -> list[Row]:
    objective = survey.lineage.task.objective
    gains = [max(objective.gain(row.vs_parent or 0.0, 0.0), 0.0) for row in path]
    most = max(gains) or 1.0
    return [
        {
            "t": row.t,
            "x": float(i),
            "y": 0.0,
            "size": 40 + 260 * gain / most,
            "id": f"#{row.t}",
            "role": row.role if row.t else "start",
            "gain": format_signed(row.vs_parent, objective.digits) if row.vs_parent is not None and row.t else "",
        }
        for i, (row, gain) in enumerate(zip(path, gains, strict=True))
    ]


def _dots(attempts: Sequence[TrialFacts], places: dict[int, int]) -> list[Row]:
    """Each attempt above its parent: columns from left to right, filled from below."""
    by_parent: dict[int, list[TrialFacts]] = {}
    for row in attempts:
        by_parent.setdefault(row.parent or 0, []).append(row)
    tall = max(_COLUMN, max((len(own) for own in by_parent.values()), default=0) // 10 + 1)
    found: list[Row] = []
    for parent, own in by_parent.items():
        columns = (len(own) + tall - 1) // tall
        gap = min(0.1, _ROOM / max(columns, 1))
        for i, row in enumerate(own):
            x = places[parent] + (i // tall - (columns - 1) / 2) * gap
            found.append(
                {"t": row.t, "role": row.role, "family": row.family, "x": x, "y": 2.2 + i % tall, "parent": parent}
            )
    return found


def _counts(dots: Sequence[Row]) -> list[Row]:
    groups: dict[object, list[Row]] = {}
    for dot in dots:
        groups.setdefault(dot["parent"], []).append(dot)
    return [
        {
            "x": sum(float(d["x"] or 0) for d in own) / len(own),
            "y": max(float(d["y"] or 0) for d in own),
            "n": len(own),
        }
        for own in groups.values()
    ]


def _aside(survey: ReportData) -> str:
    aside = [row for row in survey.kept if not row.on_path]
    if not aside:
        return "Every keep is in the best recipe."
    names = ", ".join(f"#{row.t} {row.role}" for row in aside[:12])
    return f"Kept but not in the best recipe: {names}{' and others' if len(aside) > 12 else ''}."
