"""The statuses of a trial with their families, marks and colours: one table for terminal and report.

Light on purpose: it does without `model.measurement`, because importing pydantic takes longer than all of
`espalier log`. A test compares the table with `Status`, whose members are strings and can be looked up here.
"""

from typing import NamedTuple


class Family(NamedTuple):
    """Statuses that share a colour. Colour shows what became of a trial, and nothing else."""

    name: str
    light: str
    """Colour on a light page."""
    dark: str
    """Colour on a dark page and in a terminal."""
    shape: str
    """Vega's name of the mark, so that no meaning rests on colour alone."""
    mark: str
    """The mark in a terminal."""
    members: tuple[str, ...]


KEPT = Family("kept", "#0a8f66", "#2fcf9a", "circle", "●", ("keep", "baseline"))
MEASURED = Family("measured, not better", "#8b94a1", "#6b7685", "circle", "·", ("discard",))
OVER_LIMIT = Family(
    "over a hard limit", "#e2a41c", "#d79a2b", "square", "▪", ("size_blocked", "disqualified", "illegal")
)
OVER_TIME = Family(
    "over time budget", "#8a63d2", "#b294f2", "diamond", "◷", ("train_budget_overrun", "eval_budget_overrun")
)
CRASHED = Family("crashed", "#d1432b", "#ff7a61", "cross", "×", ("crash", "preflight_crash"))  # noqa: RUF001 - a mark
HARNESS = Family("harness", "#6a7686", "#8a96a6", "triangle-up", "!", ("harness_abort",))

FAMILIES = (KEPT, MEASURED, OVER_LIMIT, OVER_TIME, CRASHED, HARNESS)
_FAMILY_OF = {status: family for family in FAMILIES for status in family.members}
STATUSES = tuple(_FAMILY_OF)
"""Every status, family by family."""


def family(status: str) -> Family:
    """Return the family of a status; raise `KeyError` for a word that is not a status."""
    return _FAMILY_OF[status]
