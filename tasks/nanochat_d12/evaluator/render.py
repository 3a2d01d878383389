"""An item as the texts that upstream makes of it: solved examples, then what is asked."""

from collections.abc import Sequence
from typing import Any

from bundle import Task

Row = dict[str, Any]


def choices(task: Task, item: Row, shots: Sequence[Row]) -> list[str]:
    """One text per option, in the item's order."""
    if task.kind == "schema":
        before = "".join(_solved(s["context_options"][s["gold"]], task, s["continuation"]) for s in shots)
        return [f"{before}{option}{task.delimiter}{item['continuation']}" for option in item["context_options"]]
    before = "".join(_solved(s["query"], task, s["choices"][s["gold"]]) for s in shots)
    return [f"{before}{item['query']}{task.delimiter}{choice}" for choice in item["choices"]]


def prompt(task: Task, item: Row, shots: Sequence[Row]) -> tuple[str, str]:
    """The text before the answer, and with it; the first loses the white space around it, as upstream's does."""
    before = "".join(_solved(str(s["context"]).strip(), task, s["continuation"]) for s in shots)
    asked = f"{before}{str(item['context']).strip()}{task.delimiter}"
    return asked.strip(), f"{asked}{item['continuation']}"


def _solved(question: object, task: Task, answer: object) -> str:
    return f"{question}{task.delimiter}{answer}\n\n"
