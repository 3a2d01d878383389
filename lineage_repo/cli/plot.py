"""A small plot in Braille characters: every score as a dot, the best so far as a line."""

from collections.abc import Sequence
from typing import NamedTuple

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each of the four by two dots of a character."""

Point = tuple[float, float]


class Plot(NamedTuple):
    """A drawing and its vertical range."""

    rows: list[str]
    """The topmost first."""
    high: float
    low: float


def draw_braille(dots: Sequence[Point], line: Sequence[Point], width: int, height: int) -> Plot:
    """Draw dots and a line, both as (x, y), into `height` rows of `width` characters.

    The vertical range is that of the line, with a fifth of room on both sides; dots outside of it are left out.
    Raises `ValueError` for an empty line.
    """
    values = [y for _, y in line]
    room = (max(values) - min(values) or abs(values[0])) / 5 or 0.2  # the smallest floats have no fifth
    low, high = min(values) - room, max(values) + room
    last = max((x for x, _ in (*dots, *line)), default=0.0) or 1.0
    cells = [[0] * width for _ in range(height)]

    def put(x: float, y: float) -> None:
        column, row = int(x / last * (2 * width - 1)), int((high - y) / (high - low) * (4 * height - 1))
        if 0 <= row < 4 * height:
            cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]

    for x, y in dots:
        put(x, y)
    for (x, y), (following, _) in zip(line, (*line[1:], (last, 0.0)), strict=True):
        steps = max(1, int((following - x) / last * 2 * width))
        for step in range(steps + 1):
            put(x + (following - x) * step / steps, y)
    return Plot(["".join(chr(0x2800 + cell) for cell in row) for row in cells], high, low)
