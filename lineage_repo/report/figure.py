"""A figure: a Vega-Lite specification from charts/*.json, the rows that it draws, and a sentence on what it shows."""

import importlib
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.manifest import Objective
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.palette import AXIS, FAMILIES, GRID, INK, MATRIX, MUTED

Cell = str | float | bool | None
Row = Mapping[str, Cell]
WIDE, NARROW, HEIGHT = 1160, 560, 280
"""Pixels: widths of a figure, and the usual height."""


class Figure(NamedTuple):
    """One figure of the report."""

    name: str
    title: str
    text: str
    """What it shows, in a sentence; screen readers read it aloud."""
    spec: dict[str, Any]
    data: Mapping[str, Sequence[Row]]
    """The data sets that the specification names."""
    width: int = WIDE

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


def fill_chart(name: str, height: int, **values: Any) -> dict[str, Any]:
    """Return the specification in charts/`name`.json, as wide as its page and in the report's quiet style.

    A string "$key" in the file stands for a value: one of `values`, a colour or encoding of the report (`_style`), or
    an entry of the file's own `define`, which may use keys defined before it.
    """
    chart = json.loads(read_resource(f"charts/{name}.json"))
    known = _style() | values
    for key, part in chart.pop("define", {}).items():
        known[key] = _fill(part, known)
    axis = {
        "gridColor": GRID,
        "domainColor": AXIS,
        "tickColor": AXIS,
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
    }
    font = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
    return _fill(chart, known) | {
        "width": "container",
        "height": height,
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": {"font": font, "view": {"stroke": None}, "axis": axis, "aria": False},
    }


def _fill(part: Any, known: Mapping[str, Any]) -> Any:
    """Replace each "$key"; values that are put in are not searched again."""
    if isinstance(part, str):
        return known[part[1:]] if part.startswith("$") else part
    if isinstance(part, list):
        return [_fill(item, known) for item in part]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(part, dict):
        return {key: _fill(item, known) for key, item in part.items()}  # pyright: ignore[reportUnknownVariableType]
    return part


def _style() -> dict[str, Any]:
    """Colours by name, and the encodings of a trial's outcome by colour and by shape; the page has the one legend."""
    names = [family.name for family in FAMILIES]
    family = {"field": "family", "type": "nominal", "legend": None}
    return {
        "colour": family | {"scale": {"domain": names, "range": [f.light for f in FAMILIES]}},
        "shape": family | {"scale": {"domain": names, "range": [f.shape for f in FAMILIES]}},
        "kept": FAMILIES[0].light,
        "limit": FAMILIES[2].light,
        "ink": INK,
        "muted": MUTED,
        "grid": GRID,
        "axis": AXIS,
        "matrix": MATRIX,
    }


def describe_score_axis(objective: Objective) -> dict[str, str]:
    """Return the values `score_title` and `score_format` of a chart whose y axis is the score."""
    title = f"{objective.metric}, {objective.unit} ({objective.direction} is better)"
    return {"score_title": title, "score_format": f".{objective.digits}f"}


def compute_score_range(data: ReportData) -> tuple[float, float]:
    """Return the ends of the y axis, worst first: from a little worse than the start to beyond the best."""
    start = data.start_score or 0.0
    end = start if data.best_score is None else data.best_score
    scores = [row.score for row in data.rows if row.score is not None]
    span = abs(start - end) or (max(scores, default=0.0) - min(scores, default=0.0)) or abs(start) / 100 or 1.0
    worse = 1 if data.objective.direction == "lower" else -1
    return start + worse * 0.14 * span, end - worse * 0.3 * span


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
