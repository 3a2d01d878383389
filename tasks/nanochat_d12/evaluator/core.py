"""CORE as tokens: every item is rendered once, so that a trial only shuffles.

There is one file per task. `tokens` has the tokens of all requests, one request after the other. A row of `spans` says
where a request begins in it, how long it is, and which of its tokens is the first that is scored (of a prompt: where
the answer begins). A row of `items` says which score it counts for, its serving box, its first span, how many spans it
has, and which of them is right.
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
"""The tokens of each request, and the first that is scored."""
Encode = Callable[[Sequence[str]], list[list[int]]]
"""Turns texts into tokens, the first of them BOS."""


def select_items(task: bundle.Task, rows: Sequence[list[dict[str, Any]]], reserved: bool) -> list[dict[str, Any]]:
    """Return the items that count for one of the scores; none if they are too few for the examples."""
    items = rows[reserved]
    return items if len(items) > task.shots or not reserved else []


def write(path: Path, folder: Path, task: bundle.Task, shots: tuple[int, ...], encode: Encode) -> None:
    """Render a task into `path`; `shots` are the numbers of examples of all tasks on the same data."""
    rows = bundle.read_items(folder, task.data)
    stream: list[int] = []
    spans: list[tuple[int, int, int]] = []
    items: list[tuple[int, int, int, int, int]] = []
    for reserved, _ in enumerate(METRICS):
        kept = select_items(task, rows, bool(reserved))
        boxes = parts.deal_boxes(len(kept), tuple(n for n in shots if n < len(kept)))
        for place, (requests, gold) in enumerate(_render(task, kept, encode)):
            items.append((reserved, boxes[place], len(spans), len(requests), gold))
            for tokens, start in requests:
                spans.append((len(stream), len(tokens), start))
                stream += tokens
    with path.open("wb") as file:
        np.savez(
            file,
            tokens=np.array(stream, np.uint32),
            spans=np.array(spans, np.int64).reshape(-1, 3),
            items=np.array(items, np.int64).reshape(-1, 5),
        )


def _render(task: bundle.Task, rows: list[dict[str, Any]], encode: Encode) -> Iterator[tuple[Spans, int]]:
    """Yield the requests of each item and which of them is right."""
    for place, item in enumerate(rows):
        shots = [rows[n] for n in bundle.draw_examples(place, len(rows), task.shots)]
        try:
            if task.kind == "language_modeling":
                yield find_answer_span(encode(render.render_prompt(task, item, shots))), 0
            else:
                yield find_choice_spans(task.kind, encode(render.render_choices(task, item, shots))), item["gold"]
        except (KeyError, IndexError, ValueError) as error:
            raise layout.MissingError(f"{task.label}: item {place} can't be asked: {error!r}") from None


def find_choice_spans(kind: str, texts: list[list[int]]) -> Spans:
    """Score from where the options first differ, or over the ending that they share; at least one token of each."""
    if kind == "schema":
        shared = _count_common([tokens[::-1] for tokens in texts])
        return [(tokens, max(1, len(tokens) - shared)) for tokens in texts]
    begun = _count_common(texts)
    return [(tokens, max(1, min(begun, len(tokens) - 1))) for tokens in texts]


def find_answer_span(texts: list[list[int]]) -> Spans:
    """Return the tokens with their answer, and where it begins; raise `ValueError` if the two share a token."""
    before, whole = texts
    if len(before) >= len(whole) or whole[: len(before)] != before:
        raise ValueError("the prompt's tokens do not begin those of prompt and answer")
    return [(whole, len(before))]


def _count_common(texts: list[list[int]]) -> int:
    """Count the first tokens that all texts have in common."""
    same = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return sum(1 for _ in same)
