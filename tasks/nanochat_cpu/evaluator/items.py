"""The items: six small tasks of CORE's three kinds. Each item uses up its own window of held-out text."""

import random
import re
import sys
from collections.abc import Callable, Iterator

from choices import Item

TEXT = 64
"""The most bytes of one request."""
WINDOW = 80
STRIDE = 96
"""Distance of windows: what follows an item is never part of another one."""
ANSWER = 6
"""Bytes of every continuation, whatever the length of the answer."""
BASELINES = {"next": 0.25, "spelling": 0.5, "order": 0.5, "context": 0.5, "complete": 0.0, "word": 0.0}
"""The accuracy of guessing in each task."""

Windows = Iterator[str]
"""Disjoint pieces of held-out text, each used once."""
Words = dict[int, list[str]]
"""Words of the training text by length, as often as they occur there."""


def make(count: int, held: str, train: str, seed: str) -> list[Item]:
    """Make `count` items of every task. A window that suits no item is used up too."""
    rng = random.Random(seed)  # noqa: S311 - a secret seed, not a key
    text, known = _cut_windows(held, rng), _collect_words(train)
    return [_make_item(builder, text, known, rng) for builder in BUILDERS.values() for _ in range(count)]


def _make_item(builder: "Builder", text: Windows, known: Words, rng: random.Random) -> Item:
    while True:
        if item := builder(text, known, rng):
            return item


def _cut_windows(held: str, rng: random.Random) -> Windows:
    """Yield disjoint windows of the held-out text in random order."""
    starts = range(0, len(held) - WINDOW, STRIDE)
    yield from (held[at : at + WINDOW] for at in rng.sample(starts, len(starts)))
    sys.exit(f"{len(held)} characters of held-out text are too few for the items: hold out more")


def _collect_words(text: str) -> Words:
    """Collect lower-case words by length."""
    words: Words = {}
    for word in re.findall(r"\b[a-z]{3,12}\b", text):
        words.setdefault(len(word), []).append(word)
    return words


def _make_next(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Offer the true word and three others of its length, as common as it."""
    window = next(text)
    match = _pick_word(window, rng, 3, 24)
    if not match:
        return None
    word, pool = match.group(), known.get(len(match.group()), [])
    if len(set(pool)) < 8:
        return None
    others: set[str] = set()
    while len(others) < 3:
        others |= {rng.choice(pool)} - {word}
    before = window[: match.start()][-48:]
    return Item("next", [(before + w, len(before)) for w in (word, *sorted(others))])


def _make_spelling(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Offer the word, and the word with two adjacent letters swapped."""
    window = next(text)
    match = _pick_word(window, rng, 4, 24)
    if not match:
        return None
    word = match.group()
    at = rng.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if swapped == word or swapped in known.get(len(word), []):
        return None
    before = window[: match.start()][-24:]
    return Item("spelling", [(before + w, len(before)) for w in (word, swapped)])


def _make_order(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Offer five or more words in their order, and with the inner ones shuffled."""
    words = next(text)[:TEXT].split(" ")[1:-1]
    if len(words) < 5:
        return None
    first, *inner, last = words
    mixed = rng.sample(inner, len(inner))
    if mixed == inner:
        return None
    return Item("order", [(" ".join([first, *middle, last]), len(first) + 1) for middle in (inner, mixed)])


def _make_context(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Offer an ending after its own context, and after that of a window whose own ending is never shown."""
    window, other = next(text), next(text)
    cut, cut_other = (w.rfind(" ", 0, 41) + 1 for w in (window, other))
    length = min(cut, cut_other)
    if length < 24 or "\n" in window[cut - 20 : cut + 16]:
        return None
    befores = window[cut - length : cut], other[cut_other - length : cut_other]
    return Item("context", [(before + window[cut : cut + 16], length) for before in befores])


def _make_complete(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Ask for the rest of a word after its first three letters."""
    window = next(text)
    match = _pick_word(window, rng, 5, 24, 3 + ANSWER)
    if not match:
        return None
    cut = match.start() + 3
    return Item("complete", [(window[:cut][-51:], 0)], match.group()[3:])


def _make_word(text: Windows, known: Words, rng: random.Random) -> Item | None:
    """Ask for a whole word after the text before it."""
    window = next(text)
    match = _pick_word(window, rng, 3, 24, ANSWER)
    return Item("word", [(window[: match.start()][-48:], 0)], match.group()) if match else None


def _pick_word(
    window: str, rng: random.Random, shortest: int, earliest: int, longest: int = 12
) -> re.Match[str] | None:
    """Pick a lower-case word that begins and ends in the window."""
    pattern = rf"(?<=[^A-Za-z])[a-z]{{{shortest},{longest}}}(?=[^A-Za-z])"
    matches = [m for m in re.finditer(pattern, window) if m.start() >= earliest]
    return rng.choice(matches) if matches else None


Builder = Callable[[Windows, Words, random.Random], Item | None]
BUILDERS: dict[str, Builder] = {
    "next": _make_next,
    "spelling": _make_spelling,
    "order": _make_order,
    "context": _make_context,
    "complete": _make_complete,
    "word": _make_word,
}
