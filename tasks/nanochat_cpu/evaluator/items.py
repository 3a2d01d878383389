"""The items: six small tasks of CORE's three kinds, each made of a window of held-out text that serves nothing else."""

import random
import re
import sys
from collections.abc import Callable, Iterator

from choices import Item

TEXT = 64
"""Most bytes of one request."""
WINDOW = 80
STRIDE = 96
"""From one window to the next: what follows an item is never part of another."""
ANSWER = 6
"""Bytes of every continuation, however long the answer is."""
BASELINES = {"next": 0.25, "spelling": 0.5, "order": 0.5, "context": 0.5, "complete": 0.0, "word": 0.0}
"""What guessing reaches in each task."""

Windows = Iterator[str]
"""Disjoint pieces of held-out text, each used once."""
Words = dict[int, list[str]]
"""Words of the training text by length, as often as they occur there."""


def make(count: int, held: str, train: str, seed: str) -> list[Item]:
    """So many items of every task; windows that suit no item are used up."""
    rng = random.Random(seed)  # noqa: S311 - a secret seed, no key
    text, known = _windows(held, rng), _words(train)
    return [_fitting(builder, text, known, rng) for builder in BUILDERS.values() for _ in range(count)]


def _fitting(builder: "Builder", text: Windows, known: Words, rng: random.Random) -> Item:
    while True:
        if item := builder(text, known, rng):
            return item


def _windows(held: str, rng: random.Random) -> Windows:
    """Disjoint windows of the held-out text in random order."""
    starts = range(0, len(held) - WINDOW, STRIDE)
    yield from (held[at : at + WINDOW] for at in rng.sample(starts, len(starts)))
    sys.exit(f"{len(held)} characters of held-out text are too few for the items: hold out more")


def _words(text: str) -> Words:
    """Lower-case words by length."""
    found: Words = {}
    for word in re.findall(r"\b[a-z]{3,12}\b", text):
        found.setdefault(len(word), []).append(word)
    return found


def _next(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """The true word, or one of three others of its length that are as common."""
    window = next(text)
    found = _word(window, rng, 3, 24)
    if not found:
        return None
    word, pool = found.group(), known.get(len(found.group()), [])
    if len(set(pool)) < 8:
        return None
    others: set[str] = set()
    while len(others) < 3:
        others |= {rng.choice(pool)} - {word}
    before = window[: found.start()][-48:]
    return Item("next", [(before + w, len(before)) for w in (word, *sorted(others))])


def _spelling(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """The word, or the word with two neighbouring letters swapped."""
    window = next(text)
    found = _word(window, rng, 4, 24)
    if not found:
        return None
    word = found.group()
    at = rng.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if swapped == word or swapped in known.get(len(word), []):
        return None
    before = window[: found.start()][-24:]
    return Item("spelling", [(before + w, len(before)) for w in (word, swapped)])


def _order(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Five or more words in their order, or with the inner ones shuffled."""
    told = next(text)[:TEXT].split(" ")[1:-1]
    if len(told) < 5:
        return None
    first, *inner, last = told
    mixed = rng.sample(inner, len(inner))
    if mixed == inner:
        return None
    return Item("order", [(" ".join([first, *ws, last]), len(first) + 1) for ws in (inner, mixed)])


def _context(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """An ending of whole words after its own context, or after that of a window whose own ending is never shown."""
    window, other = next(text), next(text)
    cut, cut_other = (w.rfind(" ", 0, 41) + 1 for w in (window, other))
    length = min(cut, cut_other)
    if length < 24 or "\n" in window[cut - 20 : cut + 16]:
        return None
    befores = window[cut - length : cut], other[cut_other - length : cut_other]
    return Item("context", [(before + window[cut : cut + 16], length) for before in befores])


def _complete(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """The rest of a word of which three letters are given."""
    window = next(text)
    found = _word(window, rng, 5, 24, 3 + ANSWER)
    if not found:
        return None
    cut = found.start() + 3
    return Item("complete", [(window[:cut][-51:], 0)], found.group()[3:])


def _following(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """A whole word after the text before it."""
    window = next(text)
    found = _word(window, rng, 3, 24, ANSWER)
    return Item("word", [(window[: found.start()][-48:], 0)], found.group()) if found else None


def _word(window: str, rng: random.Random, shortest: int, earliest: int, longest: int = 12) -> re.Match[str] | None:
    """A lower-case word of the window that begins and ends in it."""
    pattern = rf"(?<=[^A-Za-z])[a-z]{{{shortest},{longest}}}(?=[^A-Za-z])"
    found = [m for m in re.finditer(pattern, window) if m.start() >= earliest]
    return rng.choice(found) if found else None


Builder = Callable[[Windows, Words, random.Random], Item | None]
BUILDERS: dict[str, Builder] = {
    "next": _next,
    "spelling": _spelling,
    "order": _order,
    "context": _context,
    "complete": _complete,
    "word": _following,
}
