"""Figures of how close trials came to the limits, and to what was predicted."""

from lineage_repo.analysis.facts import collect_margins
from lineage_repo.analysis.predictions import compute_predictions
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import (
    Figure,
    Row,
    clamp,
    compute_score_range,
    describe_score_axis,
    fill_figure,
    format_rounded,
    to_row,
)

_LEAST_POINTS = 20
_NEAR = 0.05
"""Share of a limit; if every trial keeps further away from it, there is nothing to see."""


def draw_margins(data: ReportData) -> list[Figure]:
    """Draw one figure per declared limit or gate that a trial missed or came near to."""
    return [figure for index, name in enumerate(data.limits) if (figure := _draw_margin(data, name, index))]


def _draw_margin(data: ReportData, name: str, index: int) -> Figure | None:
    trials = [row for row in data.trials if name in row.margins]
    points = [(row, row.margins[name], row.value) for row in trials if row.value is not None]
    margins = (collect_margins(data.lineage.task, trial) for trial in data.lineage.trials.values())
    limit = next(own[name] for own in margins if name in own)
    if len(points) < 2 or min(row.margins[name] for row in trials) > _NEAR * abs(limit.limit):
        return None
    edge = sorted(abs(margin) for _, margin, _ in points)[int(0.9 * (len(points) - 1))] or 1.0
    score_range = compute_score_range(data)
    rows: list[Row] = [
        to_row(row, x=clamp(margin, -edge, edge), y=clamp(value, *score_range), margin=margin, value=value)
        for row, margin, value in points
    ]
    unit = f" {limit.unit}" if limit.unit else ""
    metric, misses = data.objective.metric, data.count_misses(name)
    text = "No trial missed it."
    if misses.missed:
        text = (
            f"{misses.missed} of {misses.trials} trials missed it, half of them by less than "
            f"{format_rounded(misses.median)}{unit}; {misses.better} of those measured better than the head."
        )
    if unseen := len(trials) - len(points):
        text += f" {unseen} have no {metric} and are not drawn."
    lines: list[Row] = [{"a": -edge, "b": 0.0, "best": data.head_score}]
    return fill_figure(
        "margin",
        {f"margin{index}": rows, "limit": lines},
        name=f"margin{index}",
        points=f"margin{index}",
        metric=metric,
        limit_name=name,
        text=text,
        x_title=f"margin to {name} {format_rounded(limit.limit)}{unit} (left of 0: missed)",
        x_domain=[-edge, edge],
        y_domain=sorted(score_range),
        **describe_score_axis(data.objective),
    )


def draw_calibration(data: ReportData) -> Figure | None:
    """Draw predicted against measured gains; None below twenty trials with both."""
    changes = [(row, row.expected or 0.0, row.over_parent or 0.0) for row in data.predicted]
    if len(changes) < _LEAST_POINTS:
        return None
    most = int(0.95 * (len(changes) - 1))
    right = sorted(abs(expected) for _, expected, _ in changes)[most] or 1.0
    top = sorted(abs(measured) for _, _, measured in changes)[most] or 1.0
    points = [
        to_row(row, "expected", "over_parent", x=clamp(expected, -right, right), y=clamp(measured, -top, top))
        for row, expected, measured in changes
    ]
    found = compute_predictions(data.lineage)
    both = min(right, top)
    diagonal: list[Row] = [{"x": -both, "y": -both}, {"x": both, "y": both}]
    return fill_figure(
        "calibration",
        {"calibration": points, "diagonal": diagonal},
        x_domain=[-right, right],
        y_domain=[-top, top],
        trials=found.trials,
        expected=found.expected_gain / found.trials,
        gained=found.gained / found.trials,
    )
