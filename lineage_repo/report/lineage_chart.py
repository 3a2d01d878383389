"""Figure: the path to the head, with every other attempt on each of its steps."""

from collections.abc import Collection, Sequence

from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.figure import Figure, Row, fill_figure, format_gain, to_row

_STEPS = 28
"""More do not fit beside each other; the newest are shown."""
_COLUMN = 16
_ROOM = 0.86


def draw_lineage(data: ReportData) -> Figure | None:
    """Draw the lineage of the head; None if nothing was tried."""
    if not data.trials or not data.path:
        return None
    path = data.path[-_STEPS:]
    attempts: dict[int, list[TrialFacts]] = {row.t: [] for row in path}
    for row in data.trials:
        if row.parent in attempts and not row.on_path:
            attempts[row.parent].append(row)
    stacks = [_stack(place, attempts[row.t], attempts.values()) for place, row in enumerate(path)]
    dots = [dot for stack in stacks for dot in stack]
    high = max((float(dot["y"] or 0) for dot in dots), default=1.0)
    rows = {
        "path": _describe_path(data, path),
        "attempts": dots,
        "counts": [_count(stack) for stack in stacks if stack],
    }
    return fill_figure(
        "lineage",
        rows,
        x_domain=[-0.6, len(path) - 0.4],
        y_domain=[-6.5, max(high, 8) + 2],
        cut=f" The newest {_STEPS} of {len(data.path)} steps." if len(data.path) > _STEPS else "",
        superseded=_name_superseded(data),
    )


def _describe_path(data: ReportData, path: Sequence[TrialFacts]) -> list[Row]:
    digits = data.objective.digits
    gains = [max(row.gain or 0.0, 0.0) for row in path]
    most = max(gains) or 1.0
    return [
        {
            "t": row.t,
            "x": float(place),
            "y": 0.0,
            "size": 40 + 260 * gain / most,
            "id": f"#{row.t}",
            "role": row.role if row.t else "start",
            "gained": format_gain(row.gain, row.low, row.high, digits),
        }
        for place, (row, gain) in enumerate(zip(path, gains, strict=True))
    ]


def _stack(place: int, own: Sequence[TrialFacts], every: Collection[Sequence[TrialFacts]]) -> list[Row]:
    """Place one parent's attempts above it: columns from left to right, filled from below."""
    tall = max(_COLUMN, max(map(len, every)) // 10 + 1)
    columns = (len(own) + tall - 1) // tall
    gap = min(0.1, _ROOM / max(columns, 1))
    return [
        to_row(row, "parent", x=place + (i // tall - (columns - 1) / 2) * gap, y=2.2 + i % tall)
        for i, row in enumerate(own)
    ]


def _count(stack: Sequence[Row]) -> Row:
    """The number of attempts, above the middle of their columns."""
    x = sum(float(dot["x"] or 0) for dot in stack) / len(stack)
    return {"x": x, "y": max(float(dot["y"] or 0) for dot in stack), "n": len(stack)}


def _name_superseded(data: ReportData) -> str:
    superseded = data.superseded
    if not superseded:
        return "Every keep leads to the head."
    names = ", ".join(f"#{row.t} {row.role}" for row in superseded[:12])
    return f"Kept, but not on the way to the head: {names}{' and others' if len(superseded) > 12 else ''}."
