"""Text that is never scored and that no box ever sees, given out in pieces: no place of it twice.

Pieces of the scored text would be known by their repeats, and would show what is still to be predicted. Pieces of what
a recipe trains on would be known too: a fingerprint of one place in thousands is small, and a counterfeit has thousands
of places.
"""

import random

import numpy as np

_STEP = 1 << 14
"""Tokens that are searched at once."""
SPARE = 8
"""How many times what is given out a reserve must hold: with less, what is free may be in parts that are too short."""


class UsedUpError(Exception):
    """No piece of that length is left."""


class Reserve:
    """A text, and which of it was given out."""

    def __init__(self, text: np.ndarray, rng: random.Random) -> None:
        self._text, self._rng = text, rng
        self._given = np.zeros(len(text), bool)

    def piece(self, token: int, length: int) -> np.ndarray:
        """`length` tokens, the first of them `token`: from behind a random place, the next where it stands.

        Where it stands nowhere that is free, another place is taken and begins with it all the same: the token is the
        caller's draw, and how likely it was must not depend on what is left.
        """
        start = self._rng.randrange(len(self._text))
        place = self._next(start, length, token)
        if place is None:
            place = self._next(start, length)
        if place is None:
            raise UsedUpError(f"no {length} tokens in a row are left of a reserve of {len(self._text):,}")
        self._given[place : place + length] = True
        found = np.array(self._text[place : place + length])
        found[0] = token
        return found

    def _next(self, start: int, length: int, token: int | None = None) -> int | None:
        """The first free place behind `start`, once around; with this token, if one is named."""
        end = len(self._text) - length + 1
        for low, high in ((min(start, end), end), (0, min(start, end))):
            for at in range(low, high, _STEP):
                part = self._text[at : min(at + _STEP, high)]
                for place in np.flatnonzero(part == token) if token is not None else range(len(part)):
                    if not self._given[at + place : at + place + length].any():
                        return at + int(place)
        return None
