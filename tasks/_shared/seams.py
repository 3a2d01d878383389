"""Does a predictor look at what it predicts? Counterfeit chunks, and the odds that they give.

A counterfeit chunk is a real one up to a secret cut; from there on it is pieces of the text from random places. The
token behind each seam is then a draw of known frequency q, whatever came before it. A predictor that depends on
nothing but the past gives it a probability p whose mean ratio p/q is at most 1. So a bet that multiplies a stake by 1
- w + w p/q at each seam is fair, and wins a factor F with a chance of at most 1/F (Ville's inequality). One that sees
the token, or what follows it, wins at nearly every seam. Each chunk is asked for once: a second answer could be made
to fit the first.
"""

import random
from dataclasses import dataclass

import numpy as np

WAGERS = (0.003, 0.03, 0.3)
"""Shares of the stake that are bet on a seam; their mean is what counts."""
CAUGHT = 1e6
"""Factor that proves foresight: by chance once in a million predictors that have none."""


@dataclass(frozen=True)
class Asked:
    """One chunk as a scorer is asked for it."""

    shown: np.ndarray
    """The tokens to score."""
    real: np.ndarray
    """The tokens of the text."""
    seams: tuple[int, ...] = ()
    """Where a token is a random draw; none in a real chunk."""

    @property
    def scored(self) -> int:
        """How many rows count: up to the first seam, where the real token's probability is still told."""
        return self.seams[0] + 1 if self.seams else len(self.real)


def ask(text: np.ndarray, chunk: int, secret: str) -> list[Asked]:
    """The text in chunks, at least one of eight and one of a hundred counterfeit: which and how depends on `secret`."""
    rng = random.Random(secret)  # noqa: S311 - a secret seed, not a key
    reals = [text[at : at + chunk] for at in range(0, len(text), chunk)]
    if len(reals) < 3:
        return [Asked(real, real) for real in reals]
    chosen = set(rng.sample(range(len(reals) - 1), max(2, len(reals) // 100)))
    return [_counterfeit(real, text, rng) if n in chosen else Asked(real, real) for n, real in enumerate(reals)]


def _counterfeit(real: np.ndarray, text: np.ndarray, rng: random.Random) -> Asked:
    """Pieces are about as long as short documents, so that seams are no rarity beside the text's own."""
    longest = max(2, len(real) // 24)
    shown, at, seams = real.copy(), rng.randrange(len(real) * 3 // 4), []
    while at < len(real):
        seams.append(at)
        end = min(at + rng.randint(longest // 3 + 1, longest), len(real))
        place = rng.randrange(len(text))
        shown[at:end] = np.take(text, range(place, place + end - at), mode="wrap")
        at = end
    return Asked(shown, real, tuple(seams))


def frequencies(text: np.ndarray, vocabulary: int) -> np.ndarray:
    """How likely each token is at a seam."""
    return np.bincount(text, minlength=vocabulary) / len(text)


def factor(ratios: list[float]) -> float:
    """What a stake has become after bets at these p/q."""
    known = np.array(ratios)
    return float(np.mean([np.exp(min(np.log1p(w * (known - 1)).sum(), 700.0)) for w in WAGERS]))
