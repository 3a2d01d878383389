"""A figure: a Vega-Lite specification from charts/*.json, the rows that it draws, and a sentence on what it shows."""

import importlib
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.objective import Objective
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.palette import AXIS, GRID, INK, MATRIX, MUTED

Cell = str | float | bool | None
Row = Mapping[str, Cell]
_STYLE = {
    "families": [family.name for family in FAMILIES],
    "family_colours": [family.light for family in FAMILIES],
    "family_shapes": [family.shape for family in FAMILIES],
    "kept": FAMILIES[0].light,
    "limit": FAMILIES[2].light,
    "crashed": FAMILIES[4].light,
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "axis": AXIS,
    "matrix": MATRIX,
}


class Figure(NamedTuple):
    """One figure of the report."""

    name: str
    title: str
    text: str
    """What it shows, in a sentence; screen readers read it aloud."""
    spec: dict[str, Any]
    data: Mapping[str, Sequence[Row]]
    """The data sets that the specification names."""
    width: int
    """In pixels."""

    @property
    def whole(self) -> dict[str, Any]:
        """A specification that stands alone."""
        return self.spec | {"datasets": {name: list(rows) for name, rows in self.data.items()}, "width": self.width}


def load(name: str) -> Any:
    """Import a package that only reports need; raise `UnsupportedError` if it is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UnsupportedError(f"a report needs {name}: pip install -e '.[report]' in a checkout") from None


def read_resource(name: str) -> str:
    """Read a file of this package: a template, a script, a style sheet or a chart."""
    return files("lineage_repo.report").joinpath(name).read_text("utf-8")


def fill_figure(chart: str, data: Mapping[str, Sequence[Row]], name: str = "", **values: Any) -> Figure:
    """Make a figure from charts/`chart`.json in the style of charts/style.json.

    A string "$key" in these files stands for a value: one of `values`, a colour of the palette, or an entry of a file's
    own `define`, which may use keys defined before it. Title and text are format strings over the same values.
    """
    known: dict[str, Any] = _STYLE | values
    spec: dict[str, Any] = {}
    for file in ("style", chart):
        part = json.loads(read_resource(f"charts/{file}.json"))
        for key, definition in part.pop("define", {}).items():
            known[key] = _fill(definition, known)
        spec |= _fill(part, known)
    figure = spec.pop("figure")
    title, text = figure["title"].format(**known), " ".join(figure["text"]).format(**known)
    return Figure(name or chart, title, text, spec, data, figure["width"])


def _fill(part: Any, known: Mapping[str, Any]) -> Any:
    """Replace each "$key"; values that are put in are not searched again."""
    if isinstance(part, str):
        return known[part[1:]] if part.startswith("$") else part
    if isinstance(part, list):
        return [_fill(item, known) for item in part]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(part, dict):
        return {key: _fill(item, known) for key, item in part.items()}  # pyright: ignore[reportUnknownVariableType]
    return part


def describe_score_axis(objective: Objective) -> dict[str, str]:
    """Return the values `score_title` and `score_format` of a chart whose y axis is the score."""
    title = f"{objective.metric}, {objective.unit} ({objective.direction} is better)"
    return {"score_title": title, "score_format": f".{objective.digits}f"}


def compute_score_range(data: ReportData) -> tuple[float, float]:
    """Return the ends of the y axis, worst first: from a little worse than the start to beyond the head."""
    start = data.start_score or 0.0
    end = start if data.head_score is None else data.head_score
    scores = [row.score for row in data.rows if row.score is not None]
    span = abs(start - end) or (max(scores, default=0.0) - min(scores, default=0.0)) or abs(start) / 100 or 1.0
    worse = 1 if data.objective.direction == "lower" else -1
    return start + worse * 0.14 * span, end - worse * 0.3 * span


def describe_gain_axis(objective: Objective) -> dict[str, str]:
    """Return the same values for a chart whose y axis is the gain over the start."""
    return {"score_title": f"gain over the start, {objective.unit}", "score_format": f"+.{objective.digits}f"}


def compute_gain_range(data: ReportData) -> tuple[float, float]:
    """Return the ends of an axis of gains over the start: from a little below 0 to beyond the largest of a head."""
    tops = [row.total for row in data.rows if row.family == FAMILIES[0].name and row.total is not None]
    span = max(tops, default=0.0) or max((abs(row.total) for row in data.rows if row.total), default=0.0) or 1.0
    return -0.3 * span, 1.3 * span


def clamp(value: float, edge: float, other: float) -> float:
    """Return `value`, or the nearer of two edges if it lies outside."""
    return min(max(value, min(edge, other)), max(edge, other))


def round_value(value: float | None) -> float | None:
    """Round to seven significant digits, more than any figure shows; None for a value that is not finite."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.7g}")


def format_signed(value: float, digits: int) -> str:
    """Format a difference with a real minus sign, and with more digits if it would read as zero."""
    text = f"{value:+.{digits}f}"
    if value and float(text) == 0:
        text = f"{value:+.1e}"
    return text.replace("-", "\u2212")


def format_gain(mean: float | None, low: float | None, high: float | None, digits: int) -> str:
    """Format a gain with half of its interval; empty for None."""
    if mean is None:
        return ""
    half = "" if low is None or high is None else f" \u00b1{(high - low) / 2:.{digits}f}"
    return format_signed(mean, digits) + half


def format_rounded(value: float) -> str:
    """Format with four significant digits and no exponent for large numbers."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def choose_ticks(low: float, high: float) -> list[float]:
    """Choose about six round values between two edges."""
    step = (high - low) / 6 or 1.0
    power = 10 ** math.floor(math.log10(step))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= step)
    first = math.ceil(low / step)
    return [round_value(i * step) or 0.0 for i in range(first, math.floor(high / step) + 1)]


def to_row(trial: TrialFacts, *names: str, **more: Cell) -> Row:
    """Return number, role and family of a trial, the fields of these names, and `more`; floats are rounded."""
    cells: Row = {name: getattr(trial, name) for name in ("t", "role", "family", *names)} | more
    return {name: round_value(cell) if isinstance(cell, float) else cell for name, cell in cells.items()}
