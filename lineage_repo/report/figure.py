"""A figure: a Vega-Lite specification made by Altair, the rows that it draws, and what to say of it."""

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lineage_repo.errors import UnsupportedError
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.palette import AXIS, FAMILIES, GRID, MUTED

Cell = str | float | bool | None
Row = Mapping[str, Cell]
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
WIDE, NARROW, HEIGHT = 1160, 560, 280
"""Pixels: widths of a figure, and the usual height."""


class Figure(NamedTuple):
    """One figure of the report."""

    name: str
    title: str
    text: str
    """What it shows, in a sentence; also what a screen reader says of it."""
    spec: dict[str, Any]
    data: Mapping[str, Sequence[Row]]
    """The data sets that the specification names."""
    width: int = WIDE

    @property
    def whole(self) -> dict[str, Any]:
        """A specification that stands alone."""
        return self.spec | {"datasets": {name: list(rows) for name, rows in self.data.items()}, "width": self.width}


def load(name: str) -> Any:
    """Import what only reports need; raise `UnsupportedError` where it is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UnsupportedError(f"a report needs {name}: pip install -e '.[report]' in a checkout") from None


def named(name: str) -> Any:
    """A chart on the data set of that name."""
    alt = load("altair")
    return alt.Chart(alt.NamedData(name=name))


def finished(chart: Any, height: int) -> dict[str, Any]:
    """The specification of a chart as wide as its page, in the report's quiet style."""
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
    spec = chart.properties(width="container", height=height, background="transparent").to_dict()
    spec["config"] = {"font": _FONT, "view": {"stroke": None}, "axis": axis, "aria": False}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def family_colour(**options: Any) -> Any:
    """The encoding of a trial's outcome by colour; the page has the one legend."""
    alt = load("altair")
    scale = alt.Scale(domain=[f.name for f in FAMILIES], range=[f.light for f in FAMILIES])
    return alt.Color("family:N", scale=scale, legend=None, **options)


def family_shape() -> Any:
    """The same by shape."""
    alt = load("altair")
    scale = alt.Scale(domain=[f.name for f in FAMILIES], range=[f.shape for f in FAMILIES])
    return alt.Shape("family:N", scale=scale, legend=None)


def compute_score_range(survey: ReportData) -> tuple[float, float]:
    """The scores worth a place on the y axis, worst first: from a little worse than the start to beyond the best."""
    base, best = survey.lineage.trials.get(0), survey.lineage.best
    start = base.score if base and base.score is not None else 0.0
    end = best.score if best and best.score is not None else start
    scores = [row.score for row in survey.rows if row.score is not None]
    span = abs(start - end) or (max(scores, default=0.0) - min(scores, default=0.0)) or abs(start) / 100 or 1.0
    worse = 1 if survey.lineage.task.objective.direction == "lower" else -1
    return start + worse * 0.14 * span, end - worse * 0.3 * span


def clamp(value: float, edge: float, other: float) -> float:
    """`value`, or the nearer of two edges where it lies outside."""
    return min(max(value, min(edge, other)), max(edge, other))


def round_value(value: float | None) -> float | None:
    """Seven significant digits: more than any figure shows."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.7g}")


def format_signed(value: float, digits: int) -> str:
    """A difference with a real minus sign; more digits where it would read as zero."""
    text = f"{value:+.{digits}f}"
    if value and float(text) == 0:
        text = f"{value:+.1e}"
    return text.replace("-", "\u2212")


def format_rounded(value: float) -> str:
    """A number that people read: four significant digits, no exponent for large ones."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def choose_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round values between two edges."""
    step = (high - low) / count or 1.0
    power = 10 ** math.floor(math.log10(step))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= step)
    first = math.ceil(low / step)
    return [round_value(i * step) or 0.0 for i in range(first, math.floor(high / step) + 1)]


def select_fields(rows: Sequence[TrialFacts], *names: str) -> list[dict[str, Cell]]:
    """Some fields of trials, with number, role and family."""
    return [{n: _cell(getattr(row, n)) for n in ("t", "role", "family", *names)} for row in rows]


def _cell(value: Any) -> Cell:
    return round_value(value) if isinstance(value, float) else value
