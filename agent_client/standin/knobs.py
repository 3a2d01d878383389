"""Knobs: the lines of a recipe that say which number may be changed, by whom and how far."""

import hashlib
import re
from collections.abc import Iterable

from lineage_repo.model.measurement import Record

Setting = tuple[str, float]
"""A knob's name and a value."""
FACTORS = (1.4, 1.2, 1.9, 1.1, 2.8, 1.05)
"""Steps to try in one direction: a medium one first, then smaller and larger ones in turn."""
_NUMBER = r"[-+]?(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?"
_KNOB = re.compile(
    rf"^(?P<name>[A-Z][A-Z0-9_]{{0,29}}) = (?P<value>{_NUMBER})[ \t]+# \[(?P<role>[a-z][a-z0-9_-]*)\] "
    rf"(?P<meaning>[^\n;]+); (?P<low>{_NUMBER}) to (?P<high>{_NUMBER})[ \t]*$",
    re.M,
)
_TITLE = re.compile(rf"^([A-Z][A-Z0-9_]{{0,29}}) ({_NUMBER}) -> ({_NUMBER})$")


class Knob(Record):
    """One number of the recipe: `NAME = number  # [role] meaning; low to high`."""

    name: str
    value: float
    whole: bool
    role: str
    meaning: str
    low: float
    high: float
    line: str
    file: str = ""

    def format_value(self, value: float) -> str:
        """Write a value as in the recipe and in titles."""
        return str(round(value)) if self.whole else repr(float(f"{value:.3g}"))

    def rewrite_line(self, value: float) -> str:
        """Write the knob's line with another value."""
        head, sign, tail = self.line.partition(" = ")
        return head + sign + re.sub(_NUMBER, self.format_value(value), tail, count=1)

    def next_value(self, up: bool, factor: float) -> float:
        """Compute the value one step away, inside the range."""
        if self.value == 0:
            step = (self.high - self.low) * (factor - 1) / 4
            target = step if up else -step
        else:
            target = self.value * (factor if up == (self.value > 0) else 1 / factor)
        if self.whole:
            target = max(self.value + 1, round(target)) if up else min(self.value - 1, round(target))
        return float(self.format_value(min(max(target, self.low), self.high)))


class Attempt(Record):
    """How one change of a knob ended in an earlier trial."""

    parent: int | None
    name: str
    old: float
    new: float
    kept: bool

    @property
    def up(self) -> bool:
        return self.new > self.old


class Move(Record):
    """A knob and its new value."""

    knob: Knob
    new: float
    follows: bool
    """Whether the role's newest trial went in this direction and was kept."""
    saves_work: bool
    """Whether a recipe that is timed has less to do: fewer of something that is counted."""
    misses: int
    """Trials in this direction since the last keep."""
    lot: str
    """Decides between equals."""

    @property
    def rank(self) -> tuple[bool, int, bool, str]:
        return (not self.follows, self.misses, not self.saves_work, self.lot)

    @property
    def title(self) -> str:
        return f"{self.knob.name} {self.knob.format_value(self.knob.value)} -> {self.knob.format_value(self.new)}"


def read_knobs(text: str, role: str | None, file: str) -> list[Knob]:
    """Read the knobs of a role in one file, or all of them."""
    return [
        Knob(
            name=m["name"], value=float(m["value"]), whole=not re.search(r"[.eE]", m["value"]), role=m["role"],
            meaning=m["meaning"].strip(), low=float(m["low"]), high=float(m["high"]), line=m.group(), file=file,
        )
        for m in _KNOB.finditer(text)
        if role in {None, m["role"]}
    ]  # fmt: skip


def read_attempt(title: str, parent: int | None = None, *, kept: bool = False) -> Attempt | None:
    """Read the change in a title like `LR 0.1 -> 0.14`; None for any other title."""
    match = _TITLE.match(title)
    return Attempt(parent=parent, name=match[1], old=float(match[2]), new=float(match[3]), kept=kept) if match else None


def choose(
    knobs: Iterable[Knob],
    attempts: list[Attempt],
    parent: int,
    submitted: set[Setting],
    salt: str,
    *,
    timed: bool = False,
) -> Move | None:
    """Choose the next move; None if no value is left.

    Values that nobody tried come first. If none is left, values are tried again that were only ever measured from
    another parent: what failed early may help later.

    Args:
        knobs: The knobs of the role, as the recipe has them.
        attempts: The changes of knobs in the record, the oldest first.
        parent: The trial that the move starts from.
        submitted: The settings that this session submitted already.
        salt: Decides between moves of equal rank.
        timed: Whether the objective is seconds: then lower counts come first, such as fewer epochs.
    """
    known = list(knobs)
    tried = {(a.name, value) for a in attempts for value in (a.old, a.new)} | submitted
    tried_here = {(a.name, a.new) for a in attempts if a.parent == parent} | submitted
    for taken in (tried, tried_here):
        moves = [_next_move(knob, up, attempts, taken, salt, timed=timed) for knob in known for up in (True, False)]
        if possible := [move for move in moves if move]:
            return min(possible, key=lambda move: move.rank)
    return None


def _next_move(
    knob: Knob, up: bool, attempts: list[Attempt], taken: set[Setting], salt: str, *, timed: bool = False
) -> Move | None:
    """Find the first step in one direction that leads to a new value."""
    same = [a for a in attempts if a.name == knob.name and a.up == up]
    misses = next((i for i, a in enumerate(reversed(same)) if a.kept), len(same))
    follows = bool(same) and same[-1] is attempts[-1] and same[-1].kept
    start = misses % len(FACTORS)
    for factor in (*FACTORS[start:], *FACTORS[:start]):
        new = knob.next_value(up, factor)
        if new != knob.value and (new > knob.value) == up and (knob.name, new) not in taken:
            lot = hashlib.sha256(f"{salt} {len(taken)} {knob.name} {up}".encode()).hexdigest()
            return Move(
                knob=knob, new=new, follows=follows, saves_work=timed and knob.whole and not up, misses=misses, lot=lot
            )
    return None
