"""Does a predictor look at what it predicts? Counterfeit chunks, and what they prove.

A counterfeit chunk is a real one up to a secret cut; from there on it is pieces of another text from random places,
which is never scored and which no box has seen (`reserve`). It is asked for beside the real one, before or after it,
and shows foresight in two ways:

- Up to the cut both show the same past, so both answers must be the same. This finds whatever leaks from the rest of a
  chunk, be it little at each token, unless the second answer is made to fit the first.
- The token behind each seam is a draw of known frequency q, whatever came before it. A predictor that depends on
  nothing but the past gives it a probability p whose mean ratio p/q is at most 1. So a bet that multiplies a stake by
  1 - w + w p/q at each seam is fair, and wins a factor F with a chance of at most 1/F (Ville's inequality). One that
  sees the token wins at nearly every seam, and there is no answer to make it fit.

What counts is the answer to the first of the two, which is given before anybody knows that there will be a second.
"""

import random
from dataclasses import dataclass

import numpy as np
from held_out import Reserve

WAGERS = (0.003, 0.03, 0.3)
"""Shares of the stake that are bet on a seam; their mean is what counts."""
CAUGHT = 1e6
"""Factor that proves foresight: by chance once in a million predictors that have none."""
MOST, MEAN = 0.25, 0.005
"""Nats by which two answers to one past may differ: at one token, and in the mean. Two steps of bfloat16 at a score of
16 are 0.25; the mean is what upstream asks of a record."""


@dataclass(frozen=True)
class Counterfeit:
    """What stands in a chunk from the cut on, when it is not the text."""

    chunk: int
    seams: tuple[int, ...]
    """The cut, and where the other pieces begin: tokens there are random draws."""
    tokens: list[int]
    first: bool
    """Whether it is asked for before the real one."""


@dataclass(frozen=True)
class Chunk:
    """A piece of the text, and perhaps its counterfeit."""

    real: np.ndarray
    fake: np.ndarray | None = None
    seams: tuple[int, ...] = ()
    """Where the counterfeit's tokens are random draws."""
    fake_first: bool = False

    @property
    def requests(self) -> list[np.ndarray]:
        """The tokens to ask for, in order."""
        if self.fake is None:
            return [self.real]
        return [self.fake, self.real] if self.fake_first else [self.real, self.fake]

    @property
    def wanted(self) -> np.ndarray:
        """For each token that of the text and that of the counterfeit."""
        return np.stack([self.real, self.real if self.fake is None else self.fake], 1)

    @property
    def counted(self) -> int:
        """How many rows of the first answer count: of a counterfeit's those up to the cut, where its past is real."""
        return self.seams[0] + 1 if self.fake_first else len(self.real)


def forge(text: np.ndarray, length: int, spare: np.ndarray, secret: str) -> list[Counterfeit]:
    """Counterfeits of one chunk in fifty and of at least two, in pieces of `spare`: all depends on `secret`."""
    rng = random.Random(secret)  # noqa: S311 - a secret seed, not a key
    reserve, chunks = Reserve(spare, rng), -(-len(text) // length)
    chosen = sorted(rng.sample(range(chunks), _how_many(chunks)))
    return [_forged(n, min(length, len(text) - n * length), text, reserve, rng) for n in chosen]


def most(tokens: int, length: int) -> int:
    """How many tokens the counterfeits of such a text have at most."""
    return _how_many(-(-tokens // length)) * (length - length // 8)


def _how_many(chunks: int) -> int:
    return min(chunks, max(2, chunks // 50))


def _forged(n: int, size: int, text: np.ndarray, reserve: Reserve, rng: random.Random) -> Counterfeit:
    """Pieces are about as long as documents. Each begins with a token drawn from the text, whatever came before it."""
    longest, at = max(2, size // 48), rng.randrange(size // 8, size * 3 // 4)
    seams: list[int] = []
    tokens: list[int] = []
    while at < size:
        seams.append(at)
        end = min(at + rng.randint(longest // 3 + 1, longest), size)
        tokens += reserve.piece(int(text[rng.randrange(len(text))]), end - at).tolist()
        at = end
    return Counterfeit(n, tuple(seams), tokens, rng.random() < 0.5)


def deal(text: np.ndarray, length: int, counterfeits: list[Counterfeit]) -> list[Chunk]:
    """The text in chunks, some with a counterfeit."""
    dealt = [Chunk(text[at : at + length]) for at in range(0, len(text), length)]
    for one in counterfeits:
        real, cut = dealt[one.chunk].real, one.seams[0]
        fake = np.concatenate([real[:cut], np.array(one.tokens, real.dtype)])
        dealt[one.chunk] = Chunk(real, fake, one.seams, one.first)
    return dealt


def frequencies(text: np.ndarray, vocabulary: int) -> np.ndarray:
    """How likely each token is at a seam."""
    return np.bincount(text, minlength=vocabulary) / len(text)


def factor(ratios: list[float]) -> float:
    """What a stake has become after bets at these p/q."""
    known = np.array(ratios)
    return float(np.mean([np.exp(min(np.log1p(w * (known - 1)).sum(), 700.0)) for w in WAGERS]))
