"""Text that is never scored and that no box ever sees, given out in pieces; no place is given out twice.

A recipe would recognise pieces of the scored text by their repeats, and they would show it what is still to be
predicted. It would also recognise pieces of its training text: a fingerprint of one place in thousands is small, and a
counterfeit has thousands of places.
"""

import random

import numpy as np

_STEP = 1 << 14
"""Tokens that are searched at once."""
SPARE = 8
"""A reserve must be so many times longer than what it gives out; otherwise its free parts may be too short."""


class UsedUpError(Exception):
    """No piece of that length is left."""


class Reserve:
    """A text, and which places of it are used."""

    def __init__(self, text: np.ndarray, rng: random.Random) -> None:
        self._text, self._rng = text, rng
        self._used = np.zeros(len(text), bool)

    def take(self, token: int, length: int) -> np.ndarray:
        """Take `length` tokens that begin with `token`: the first free place with it behind a random one.

        If no free place begins with it, another place is taken and its first token replaced: the caller drew the token,
        and its probability must not depend on what is left.

        Raises:
            UsedUpError: no free place is long enough.
        """
        start = self._rng.randrange(len(self._text))
        place = self._find_free(start, length, token)
        if place is None:
            place = self._find_free(start, length)
        if place is None:
            raise UsedUpError(f"no {length} tokens in a row are left of a reserve of {len(self._text):,}")
        self._used[place : place + length] = True
        piece = np.array(self._text[place : place + length])
        piece[0] = token
        return piece

    def _find_free(self, start: int, length: int, token: int | None = None) -> int | None:
        """Find the first free place behind `start`, once around, that begins with `token` if one is given."""
        end = len(self._text) - length + 1
        for low, high in ((min(start, end), end), (0, min(start, end))):
            for at in range(low, high, _STEP):
                part = self._text[at : min(at + _STEP, high)]
                for place in np.flatnonzero(part == token) if token is not None else range(len(part)):
                    if not self._used[at + place : at + place + length].any():
                        return at + int(place)
        return None
