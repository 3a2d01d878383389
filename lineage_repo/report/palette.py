"""Colours and marks: colour means what became of a trial, in every figure, and nothing else."""

from typing import NamedTuple

from lineage_repo.model.measurement import Status


class Family(NamedTuple):
    """Outcomes that share a colour."""

    name: str
    light: str
    dark: str
    shape: str
    """Vega's name of the mark, so that no meaning rests on colour alone."""
    members: tuple[Status, ...]


FAMILIES = (
    Family("kept", "#0a8f66", "#2fcf9a", "circle", (Status.KEEP, Status.BASELINE)),
    Family("measured, not better", "#8b94a1", "#6b7685", "circle", (Status.DISCARD,)),
    Family(
        "over a hard limit",
        "#e2a41c",
        "#d79a2b",
        "square",
        (Status.SIZE_BLOCKED, Status.DISQUALIFIED, Status.ILLEGAL),
    ),
    Family(
        "over time budget",
        "#8a63d2",
        "#b294f2",
        "diamond",
        (Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN),
    ),
    Family("crashed", "#d1432b", "#ff7a61", "cross", (Status.CRASH, Status.PREFLIGHT_CRASH)),
    Family("harness", "#6a7686", "#8a96a6", "triangle-up", (Status.HARNESS_ABORT,)),
)
INK, MUTED, GRID, AXIS, MATRIX = "#14181d", "#5a6472", "#e6e9ee", "#9aa3af", "#2d62c4"
ARMS = ("#14181d", "#0072b2", "#d55e00", "#8f4fa8", "#007a5e", "#a3480e")
"""Lines of compared arms; each has a dash of its own besides."""
DARK = {f.light: f.dark for f in FAMILIES} | {
    "#0072b2": "#6cb9ee",
    "#d55e00": "#ff9e57",
    "#8f4fa8": "#cf9be2",
    "#007a5e": "#4fd0b0",
    "#a3480e": "#e0a070",
    INK: "#e7ebf0",
    MUTED: "#98a3b1",
    GRID: "#242b35",
    AXIS: "#596474",
    MATRIX: "#7aa5ff",
}
"""Each light colour of a figure and the one that takes its place on a dark page."""
_OF = {status: family for family in FAMILIES for status in family.members}


def family(status: Status) -> Family:
    """The family that an outcome belongs to."""
    return _OF[status]
