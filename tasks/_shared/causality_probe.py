"""Does a predictor look at what it predicts? Counterfeit chunks prove it.

A counterfeit chunk is a real one up to a secret cut. After the cut it consists of pieces from random places of another
text, which is never scored and which no box has seen (`held_out`). The box is asked for it beside the real one, before
or after it. It shows foresight in two ways:

- Up to the cut both show the same past, so both answers must be the same. This finds any leak from the rest of a chunk,
  even one that is small at each token, unless the second answer is fitted to the first.
- The token behind each seam is a draw of known frequency q, whatever comes before it. A predictor that depends only on
  the past gives it a probability p whose mean ratio p/q is at most 1. So a bet that multiplies a stake by
  1 - w + w p/q at each seam is fair, and wins a factor F with a chance of at most 1/F (Ville's inequality). A predictor
  that sees the token wins at nearly every seam, and has no earlier answer to fit it to.

The answer to the first of the two counts, since nobody knows yet that there will be a second.
"""

import random
from dataclasses import dataclass

import numpy as np
from held_out import Reserve

WAGERS = (0.003, 0.03, 0.3)
"""Shares of the stake that are bet on a seam; the mean over them counts."""
CAUGHT = 1e6
"""The factor that proves foresight: one in a million predictors without foresight reaches it by chance."""
MOST, MEAN = 0.25, 0.005
"""Nats by which two answers to one past may differ: at one token, and in the mean. Two steps of bfloat16 at a score of
16 are 0.25; the mean is what upstream asks of a record."""


@dataclass(frozen=True)
class Counterfeit:
    """What replaces the text of a chunk from the cut on."""

    chunk: int
    seams: tuple[int, ...]
    """The cut and the places where the other pieces begin; the tokens there are random draws."""
    tokens: list[int]
    first: bool
    """Whether it comes before the real one."""


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
        """For each place the token of the text and that of the counterfeit."""
        return np.stack([self.real, self.real if self.fake is None else self.fake], 1)

    @property
    def counted(self) -> int:
        """How many rows of the first answer count; of a counterfeit only those whose past is real, up to the cut."""
        return self.seams[0] + 1 if self.fake_first else len(self.real)


def forge(text: np.ndarray, length: int, spare: np.ndarray, secret: str) -> list[Counterfeit]:
    """Forge one chunk in fifty, and at least two, from pieces of `spare`; every draw depends on `secret`."""
    rng = random.Random(secret)  # noqa: S311 - a secret seed, not a key
    reserve, n_chunks = Reserve(spare, rng), -(-len(text) // length)
    chosen = sorted(rng.sample(range(n_chunks), _count_forged(n_chunks)))
    return [_forge_chunk(n, min(length, len(text) - n * length), text, reserve, rng) for n in chosen]


def count_forged_tokens(tokens: int, length: int) -> int:
    """Return the most tokens that the counterfeits of such a text can have."""
    return _count_forged(-(-tokens // length)) * (length - length // 8)


def _count_forged(chunks: int) -> int:
    return min(chunks, max(2, chunks // 50))


def _forge_chunk(n: int, size: int, text: np.ndarray, reserve: Reserve, rng: random.Random) -> Counterfeit:
    """Forge one chunk: pieces about as long as documents, each beginning with a token drawn from the text."""
    longest, at = max(2, size // 48), rng.randrange(size // 8, size * 3 // 4)
    seams: list[int] = []
    tokens: list[int] = []
    while at < size:
        seams.append(at)
        end = min(at + rng.randint(longest // 3 + 1, longest), size)
        tokens += reserve.take(int(text[rng.randrange(len(text))]), end - at).tolist()
        at = end
    return Counterfeit(n, tuple(seams), tokens, rng.random() < 0.5)


def deal(text: np.ndarray, length: int, counterfeits: list[Counterfeit]) -> list[Chunk]:
    """Cut the text into chunks, some with a counterfeit."""
    chunks = [Chunk(text[at : at + length]) for at in range(0, len(text), length)]
    for forged in counterfeits:
        real, cut = chunks[forged.chunk].real, forged.seams[0]
        fake = np.concatenate([real[:cut], np.array(forged.tokens, real.dtype)])
        chunks[forged.chunk] = Chunk(real, fake, forged.seams, forged.first)
    return chunks


def measure_frequencies(text: np.ndarray, vocabulary: int) -> np.ndarray:
    """Return how likely each token is at a seam."""
    return np.bincount(text, minlength=vocabulary) / len(text)


def bet(ratios: list[float]) -> float:
    """Return the factor that a stake has grown by after bets at these ratios p/q."""
    values = np.array(ratios)
    return float(np.mean([np.exp(min(np.log1p(w * (values - 1)).sum(), 700.0)) for w in WAGERS]))
