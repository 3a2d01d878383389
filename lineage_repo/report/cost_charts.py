"""Figures of what the search cost: per keep, and over time."""

from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData, find_pauses
from lineage_repo.report.figure import Figure, Row, fill_figure, round_value, to_row


def draw_price(data: ReportData) -> Figure | None:
    """Draw slot-hours per keep; None without a keep or a duration."""
    if not data.kept or not any(row.slot_h for row in data.trials):
        return None
    rows: list[Row] = []
    before = 0.0
    for place, row in enumerate(data.kept):
        spent = row.spent_h or 0.0
        rows.append(to_row(row, x=place, hours=spent - before, in_head=row.on_path))
        before = spent
    since = data.slot_hours - before
    last: Row = {"t": None, "role": "", "family": FAMILIES[1].name}
    rows.append({**last, "x": len(rows), "hours": round_value(since), "in_head": True})
    return fill_figure("price", {"price": rows}, since=since)


def draw_slots(data: ReportData) -> Figure | None:
    """Draw what ran when; None if times or durations are missing."""
    trials = [row for row in data.trials if row.end_h is not None and row.slot_h is not None]
    if not trials:
        return None
    rows: list[Row] = [
        to_row(row, "end_h", "lane", a=(row.end_h or 0) - (row.slot_h or 0), lane2=(row.lane or 0) + 0.8)
        for row in trials
    ]
    idle: list[Row] = [{"x": (a + b) / 2, "label": f"{b - a:.0f} h"} for a, b in find_pauses(data.rows, 3.0)]
    lanes = 1 + max(row.lane or 0 for row in trials)
    busy = sum(row.slot_h or 0 for row in trials) / (max(row.end_h or 0 for row in trials) or 1)
    return fill_figure("slots", {"slots": rows, "idle": idle}, height=60 + 16 * min(lanes, 20), lanes=lanes, busy=busy)
