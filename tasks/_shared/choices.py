"""Items of CORE's kinds: ask them in an order that reveals nothing, and mark the answers."""

import random
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

Marks = list[tuple[str, str, bool]]
"""Metric and task of every item, and whether its answer was right."""


class Item(NamedTuple):
    """A choice between requests, the first of them right; or a prompt whose right continuation is `answer`."""

    task: str
    requests: Sequence[Any]
    """What is asked, in the evaluator's own terms; a prompt has one."""
    answer: Sequence[Any] = ""
    """What the continuation must begin with."""


def shuffle_items(drawn: Sequence[tuple[str, Item]], seed: str) -> dict[str, Any]:
    """Shuffle all requests and prompts; for every item also return the places of its own, the right one first."""
    rng = random.Random(seed)  # noqa: S311 - a secret seed, not a key
    asked: dict[str, list[Any]] = {"requests": [], "prompts": []}
    own: list[list[int]] = []
    for _, item in drawn:
        kind = asked["prompts" if item.answer else "requests"]
        own.append(list(range(len(kind), len(kind) + len(item.requests))))
        kind += item.requests
    places = {kind: rng.sample(range(len(all_)), len(all_)) for kind, all_ in asked.items()}
    shown = {kind: [r for _, r in sorted(zip(places[kind], all_, strict=True))] for kind, all_ in asked.items()}
    items = [
        (metric, item.task, item.answer, [places["prompts" if item.answer else "requests"][n] for n in numbers])
        for (metric, item), numbers in zip(drawn, own, strict=True)
    ]
    return {"items": items, **shown}


def mark_answers(sheet: dict[str, Any], scores: Sequence[float], continuations: Sequence[Sequence[Any]]) -> Marks:
    """Mark every item. A choice is right only if the right request alone has the highest score: a tie is wrong."""
    marks: Marks = []
    for metric, task, answer, (first, *others) in sheet["items"]:
        if answer:
            good = continuations[first][: len(answer)] == answer
        else:
            good = scores[first] > max(scores[other] for other in others)
        marks.append((metric, task, good))
    return marks


def centre_accuracy(marks: Marks, metric: str, baselines: Mapping[str, float]) -> float:
    """Return the mean over the tasks of (accuracy - b) / (1 - b), where b is the task's baseline."""
    accuracy = {task: fmean(r for m, t, r in marks if (m, t) == (metric, task)) for task in baselines}
    return fmean((accuracy[task] - b) / (1 - b) for task, b in baselines.items())
