"""Figure: every score, the best so far, and below them the trials without a score."""

from collections.abc import Sequence
from typing import NamedTuple

from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData, TrialFacts, find_pauses
from lineage_repo.report.figure import (
    Figure,
    Row,
    choose_ticks,
    clamp,
    compute_score_range,
    describe_score_axis,
    fill_figure,
    format_signed,
    round_value,
    to_row,
)
from lineage_repo.text.sanitize import clip

X_TITLE = "trial number"
_LABELS = 6


class _Axis(NamedTuple):
    """The y axis: scores between two edges, and lanes for failures beyond the better one."""

    worst: float
    beyond: float

    def place_lane(self, index: float) -> float:
        return self.beyond + (self.beyond - self.worst) * 0.08 * (index + 0.8)


def draw_progress(data: ReportData) -> Figure | None:
    """Draw the progress; None if no trial is recorded."""
    if not data.rows:
        return None
    axis = _Axis(*compute_score_range(data))
    failed = {row.family for row in data.trials if row.score is None}
    lanes = [family.name for family in FAMILIES if family.name in failed]
    bottom = axis.place_lane(len(lanes)) if lanes else axis.beyond
    rows = {
        "progress": [mark for row in data.rows if (mark := _mark(row, axis, lanes))],
        "best": _trace_best(data),
        "lanes": [{"y": axis.place_lane(i), "label": name} for i, name in enumerate(lanes)],
        "labels": _label_steps(data, axis),
        "pauses": [
            {"a": round_value(a), "b": round_value(b), "label": f"{b - a:.0f} h"} for a, b in find_pauses(data.rows)
        ],
    }
    noise = "" if data.noise is None else f" Band: ±{data.noise:.{data.objective.digits}f}, the noise of one trial."
    return fill_figure(
        "progress",
        rows,
        x_title=X_TITLE,
        y_domain=sorted((axis.worst, bottom)),
        ticks=choose_ticks(*sorted(axis)),
        noise=noise,
        **describe_score_axis(data.objective),
    )


def _x(row: TrialFacts) -> Row:
    """A trial's places on the three x axes that the page offers."""
    return {"t": row.t, "end_h": round_value(row.end_h) or 0.0, "spent_h": round_value(row.spent_h)}


def _mark(row: TrialFacts, axis: _Axis, lanes: Sequence[str]) -> Row | None:
    if row.score is not None:
        y = clamp(row.score, axis.worst, axis.beyond)
    elif row.family in lanes:
        y = axis.place_lane(lanes.index(row.family))
    else:
        return None
    kept = row.family == FAMILIES[0].name
    size = 60 if kept else 16
    return {**to_row(row, "score", y=y, size=size, superseded=kept and not row.on_path), **_x(row)}


def _trace_best(data: ReportData) -> list[Row]:
    """The best so far by number. Of keeps recorded in another order, only those that no lower number beats count."""
    steps: list[Row] = []
    noise = data.noise or 0.0
    best: float | None = None
    rows = sorted(data.rows, key=lambda row: row.t)
    for row in rows:
        kept = row.family == FAMILIES[0].name and row.score is not None
        if kept and (best is None or data.objective.gain(row.score or 0.0, best) > 0):
            best = row.score
        elif row is not rows[-1]:
            continue
        if best is not None:
            steps.append({**_x(row), "y": best, "low": best - noise, "high": best + noise})
    return steps


def _label_steps(data: ReportData, axis: _Axis) -> list[Row]:
    """Label the largest steps over the parent and the last one, each below its point and clear of the others."""
    objective = data.objective
    steps = [row for row in data.path if row.t and row.vs_parent is not None]
    largest = sorted(steps, key=lambda r: -objective.gain(r.vs_parent or 0.0, 0.0))[:_LABELS]
    chosen = {row.t: row for row in (*largest, *steps[-1:])}
    last, height = max(row.t for row in data.rows) or 1, axis.beyond - axis.worst
    labels: list[Row] = []
    taken: list[tuple[float, float, float]] = []
    for row in sorted(chosen.values(), key=lambda r: -r.t):
        at, level = row.t / last, min(((row.score or 0.0) - axis.worst) / height + 0.07, 0.95)
        side = "right" if at > 0.22 else "left"
        begin, end = (at - 0.22, at + 0.01) if side == "right" else (at - 0.01, at + 0.22)
        while level < 0.96 and any(a < end and begin < b and abs(level - y) < 0.075 for a, b, y in taken):
            level += 0.02
        taken.append((begin, end, level))
        head = f"#{row.t} {row.role} {format_signed(row.vs_parent or 0.0, objective.digits)}"
        what = clip(row.title.partition(": ")[2] or row.title, 34)
        y = axis.worst + level * height
        labels.append({**_x(row), "head": head, "what": what, "side": side, "y": y, "from": row.score})
    return labels
