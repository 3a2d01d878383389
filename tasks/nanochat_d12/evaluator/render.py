"""Render an item as upstream does: solved examples, then the question."""

from collections.abc import Sequence
from typing import Any

from bundle import Task

Row = dict[str, Any]


def render_choices(task: Task, item: Row, shots: Sequence[Row]) -> list[str]:
    """Return one text per option, in the item's order."""
    if task.kind == "schema":
        before = "".join(_render_solved(s["context_options"][s["gold"]], task, s["continuation"]) for s in shots)
        return [f"{before}{option}{task.delimiter}{item['continuation']}" for option in item["context_options"]]
    before = "".join(_render_solved(s["query"], task, s["choices"][s["gold"]]) for s in shots)
    return [f"{before}{item['query']}{task.delimiter}{choice}" for choice in item["choices"]]


def render_prompt(task: Task, item: Row, shots: Sequence[Row]) -> tuple[str, str]:
    """Return the text before the answer, and with it; white space around the first is stripped, as upstream does."""
    before = "".join(_render_solved(str(s["context"]).strip(), task, s["continuation"]) for s in shots)
    asked = f"{before}{str(item['context']).strip()}{task.delimiter}"
    return asked.strip(), f"{asked}{item['continuation']}"


def _render_solved(question: object, task: Task, answer: object) -> str:
    return f"{question}{task.delimiter}{answer}\n\n"
