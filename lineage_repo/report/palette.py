"""The colours of figures beside those of the statuses, which `model.status_table` has."""

from lineage_repo.model.status_table import FAMILIES

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
