"""The table of roles: what each tried, what was kept, what it gave to the best recipe, at what price."""

from typing import NamedTuple

from lineage_repo.model.measurement import Status
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import format_signed
from lineage_repo.report.palette import FAMILIES

BAR = 200
"""Width of the longest bar, in units of its drawing."""


class Piece(NamedTuple):
    """A part of a bar."""

    family: str
    place: int
    """The family's place in the palette."""
    n: int
    x: float
    width: float


class RoleLine(NamedTuple):
    """One role."""

    role: str
    pieces: tuple[Piece, ...]
    trials: int
    kept: int
    in_best: int
    gain: float
    gain_text: str
    """Signed, in the metric's unit: what its steps on the best's path changed."""
    gain_width: float
    hours_per_keep: str


def build_role_rows(survey: ReportData) -> list[RoleLine]:
    """Every role, the one that gave most first."""
    objective = survey.lineage.task.objective
    names = list(dict.fromkeys(row.role for row in survey.trials))
    most = max((sum(row.role == name for row in survey.trials) for name in names), default=1)
    found: list[RoleLine] = []
    for name in names:
        own = [row for row in survey.trials if row.role == name]
        steps = [row.vs_parent for row in own if row.on_path and row.vs_parent is not None]
        kept = [row for row in own if row.status is Status.KEEP]
        hours = sum(row.slot_h or 0.0 for row in own)
        found.append(
            RoleLine(
                role=name,
                pieces=split_bar([row.family for row in own], most),
                trials=len(own),
                kept=len(kept),
                in_best=sum(row.on_path for row in kept),
                gain=objective.gain(sum(steps), 0.0),
                gain_text=format_signed(sum(steps), objective.digits) if steps else "",
                gain_width=0.0,
                hours_per_keep=f"{hours / len(kept):.1f}" if kept and hours else "",
            )
        )
    top = max((line.gain for line in found), default=0.0)
    scaled = [line._replace(gain_width=BAR / 2 * max(line.gain, 0.0) / top if top > 0 else 0.0) for line in found]
    return sorted(scaled, key=lambda line: (-line.gain, -line.kept, line.role))


def split_bar(families: list[str], most: int) -> tuple[Piece, ...]:
    """The bar of these outcomes beside one of `most` trials."""
    found: list[Piece] = []
    x = 0.0
    for index, family in enumerate(FAMILIES):
        if n := families.count(family.name):
            found.append(Piece(family.name, index, n, x, BAR * n / most))
            x += BAR * n / most
    return tuple(found)
