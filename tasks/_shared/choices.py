"""Items of CORE's kinds: asked in an order that tells nothing, and which of the answers are right."""

import random
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

Answered = list[tuple[str, str, bool]]
"""Metric and task of every item, and whether it was answered right."""


class Item(NamedTuple):
    """A choice between requests, the first of them right; or a prompt whose right continuation is `answer`."""

    task: str
    requests: Sequence[Any]
    """What is asked, in the evaluator's own terms; of a prompt, one."""
    answer: Sequence[Any] = ""
    """What the continuation must begin with."""


def shuffled(made: Sequence[tuple[str, Item]], seed: str) -> dict[str, Any]:
    """Every request and prompt in random order; for every item where its own stand, the right one first."""
    rng = random.Random(seed)  # noqa: S311 - a secret seed, no key
    asked: dict[str, list[Any]] = {"requests": [], "prompts": []}
    own: list[list[int]] = []
    for _, item in made:
        kind = asked["prompts" if item.answer else "requests"]
        own.append(list(range(len(kind), len(kind) + len(item.requests))))
        kind += item.requests
    places = {kind: rng.sample(range(len(all_)), len(all_)) for kind, all_ in asked.items()}
    shown = {kind: [r for _, r in sorted(zip(places[kind], all_, strict=True))] for kind, all_ in asked.items()}
    items = [
        (metric, item.task, item.answer, [places["prompts" if item.answer else "requests"][n] for n in numbers])
        for (metric, item), numbers in zip(made, own, strict=True)
    ]
    return {"items": items, **shown}


def right(sheet: dict[str, Any], scores: Sequence[float], continuations: Sequence[Sequence[Any]]) -> Answered:
    """A choice is right where the right request has the highest score alone: equal ones are no choice."""
    found: Answered = []
    for metric, task, answer, (first, *others) in sheet["items"]:
        if answer:
            good = continuations[first][: len(answer)] == answer
        else:
            good = scores[first] > max(scores[other] for other in others)
        found.append((metric, task, good))
    return found


def centred(found: Answered, metric: str, baselines: Mapping[str, float]) -> float:
    """Mean over the tasks of (accuracy - b)/(1 - b), b the task's baseline."""
    accuracy = {task: fmean(r for m, t, r in found if (m, t) == (metric, task)) for task in baselines}
    return fmean((accuracy[task] - b) / (1 - b) for task, b in baselines.items())
