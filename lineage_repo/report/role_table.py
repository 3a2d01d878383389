"""The table of roles: what each tried, what was kept, what it gave to the head, at what price."""

from collections.abc import Sequence
from typing import NamedTuple

from lineage_repo.model.comparison import Interval
from lineage_repo.model.measurement import Status
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.record.claims import add_gains
from lineage_repo.report.data import ReportData, TrialFacts
from lineage_repo.report.figure import format_gain

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
    in_head: int
    gain: float
    gain_text: str
    """In the objective's unit, with half of its interval: the sum of its steps on the head's path."""
    gain_width: float
    hours_per_keep: str


def build_role_rows(data: ReportData) -> list[RoleLine]:
    """Describe every role, the one that gave most first."""
    digits = data.objective.digits
    by_role = {name: [row for row in data.trials if row.role == name] for name in {row.role for row in data.trials}}
    most = max(map(len, by_role.values()), default=1)
    lines: list[RoleLine] = []
    for name, own in by_role.items():
        steps = [step for row in own if row.on_path and (step := _step(row))]
        gain = add_gains(steps) if steps else None
        kept = [row for row in own if row.status is Status.KEEP]
        hours = sum(row.slot_h or 0.0 for row in own)
        line = RoleLine(
            role=name,
            pieces=split_bar([row.family for row in own], most),
            trials=len(own),
            kept=len(kept),
            in_head=sum(row.on_path for row in kept),
            gain=gain.mean if gain else 0.0,
            gain_text=format_gain(gain.mean, gain.low, gain.high, digits) if gain else "",
            gain_width=0.0,
            hours_per_keep=f"{hours / len(kept):.1f}" if kept and hours else "",
        )
        lines.append(line)
    top = max((line.gain for line in lines), default=0.0)
    scaled = [line._replace(gain_width=BAR / 2 * max(line.gain, 0.0) / top if top > 0 else 0.0) for line in lines]
    return sorted(scaled, key=lambda line: (-line.gain, -line.kept, line.role))


def _step(row: TrialFacts) -> Interval | None:
    return None if row.gain is None else Interval(mean=row.gain, low=row.low, high=row.high, n=1)


def split_bar(families: Sequence[str], most: int) -> tuple[Piece, ...]:
    """Split a bar by outcome; `most` trials fill its whole width."""
    pieces: list[Piece] = []
    x = 0.0
    for place, family in enumerate(FAMILIES):
        if n := families.count(family.name):
            pieces.append(Piece(family.name, place, n, x, BAR * n / most))
            x += BAR * n / most
    return tuple(pieces)
