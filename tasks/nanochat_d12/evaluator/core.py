"""CORE as tokens: every item rendered once, so that a trial only shuffles.

One file per task: `tokens` is what all its requests say, one after the other; a row of `spans` is where a request
begins in it, how long it is, and from which of its tokens on it is scored (of a prompt: where the answer begins). A row
of `items` is which score it counts for, its serving box, its first span, how many it has, and which of them is right.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bundle
import layout
import numpy as np
import parts
import render

METRICS = ("core", "core_reserved")
Spans = list[tuple[list[int], int]]
"""Tokens of a request, and the first that is scored."""
Encode = Callable[[Sequence[str]], list[list[int]]]
"""Texts to tokens, the first of them BOS."""


def asked(task: bundle.Task, rows: Sequence[list[dict[str, Any]]], reserved: bool) -> list[dict[str, Any]]:
    """Items that count for one of the scores: none where there are not enough for the examples."""
    found = rows[reserved]
    return found if len(found) > task.shots or not reserved else []


def write(path: Path, folder: Path, task: bundle.Task, shots: tuple[int, ...], encode: Encode) -> None:
    """Render a task into `path`; `shots` are those of all tasks on the same data."""
    rows = bundle.items(folder, task.data)
    told: list[int] = []
    spans: list[tuple[int, int, int]] = []
    items: list[tuple[int, int, int, int, int]] = []
    for reserved, _ in enumerate(METRICS):
        kept = asked(task, rows, bool(reserved))
        boxes = parts.dealt(len(kept), tuple(n for n in shots if n < len(kept)))
        for place, (made, gold) in enumerate(_rendered(task, kept, encode)):
            items.append((reserved, boxes[place], len(spans), len(made), gold))
            for tokens, start in made:
                spans.append((len(told), len(tokens), start))
                told += tokens
    with path.open("wb") as stream:
        np.savez(
            stream,
            tokens=np.array(told, np.uint32),
            spans=np.array(spans, np.int64).reshape(-1, 3),
            items=np.array(items, np.int64).reshape(-1, 5),
        )


def _rendered(task: bundle.Task, rows: list[dict[str, Any]], encode: Encode) -> Iterator[tuple[Spans, int]]:
    """The requests of each item and which of them is right."""
    for place, item in enumerate(rows):
        shots = [rows[n] for n in bundle.examples(place, len(rows), task.shots)]
        try:
            if task.kind == "language_modeling":
                yield prompt(encode(render.prompt(task, item, shots))), 0
            else:
                yield choices(task.kind, encode(render.choices(task, item, shots))), item["gold"]
        except (KeyError, IndexError, ValueError) as error:
            raise layout.MissingError(f"{task.label}: item {place} can't be asked: {error!r}") from None


def choices(kind: str, told: list[list[int]]) -> Spans:
    """Scored from where the options first differ, or over the ending that they share; at least one token of each."""
    if kind == "schema":
        shared = _common([tokens[::-1] for tokens in told])
        return [(tokens, max(1, len(tokens) - shared)) for tokens in told]
    begun = _common(told)
    return [(tokens, max(1, min(begun, len(tokens) - 1))) for tokens in told]


def prompt(told: list[list[int]]) -> Spans:
    """The tokens with their answer, and where that begins; raise `ValueError` where the two share a token."""
    before, whole = told
    if len(before) >= len(whole) or whole[: len(before)] != before:
        raise ValueError("the prompt's tokens do not begin those of prompt and answer")
    return [(whole, len(before))]


def _common(told: list[list[int]]) -> int:
    """How many first tokens all have in common."""
    same = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*told, strict=False))
    return sum(1 for _ in same)
