"""A conversation as the stand-in sees it: the opening message, and every tool call with its answer."""

from collections.abc import Iterable
from typing import Any, cast

from pydantic import ConfigDict

from lineage_repo.model.comparison import Interval
from lineage_repo.model.measurement import Record

PREFIX = "mcp__espalier__"
"""Agents see the names of our tools with this prefix."""


class Answer(Record):
    """What the stand-in uses of our tools' structured answers; each tool fills the fields that it has."""

    model_config = ConfigDict(extra="ignore")

    message: str = ""
    trial: int = 0
    title: str = ""
    parent: int | None = None
    status: str | None = None
    score: float | None = None
    gain: Interval | None = None
    state: str = ""
    """`running` or `done`, from `submit_trial` and `wait_trial`."""
    submits_left: int = 0
    head: int | None = None
    head_score: float | None = None
    rows: tuple["Answer", ...] = ()
    """Trials, from `read_lineage`."""
    pages: int = 1
    folder: str = ""
    """The working copy, from `rebase_to`."""
    files: tuple[str, ...] = ()
    ok: bool = False
    """From `syntax_check`."""


class Call(Record):
    """One tool call and its answer."""

    name: str
    """Without the server's prefix."""
    input: dict[str, Any]
    text: str
    error: bool = False

    @property
    def measures(self) -> bool:
        return self.name in {"submit_trial", "wait_trial"} and not self.error

    @property
    def answer(self) -> Answer:
        """The structured answer; raises `ValueError` where it has another shape."""
        return Answer.model_validate_json(self.text)


class Say(Record):
    """Text that ends the turn."""

    text: str


class Use(Record):
    """A tool to call."""

    name: str
    input: dict[str, Any]


class Conversation(Record):
    """Everything that decides the next step."""

    opening: str
    calls: tuple[Call, ...] = ()

    def find(self, name: str, **wanted: object) -> list[Call]:
        """Return the successful calls of a tool whose input has these values, the newest first."""
        return [c for c in self.calls[::-1] if c.name == name and not c.error and wanted.items() <= c.input.items()]

    def last(self, name: str, **wanted: object) -> Call | None:
        """Return the newest of these calls."""
        return next(iter(self.find(name, **wanted)), None)

    @property
    def round(self) -> "Conversation":
        """The calls since the last trial that is done."""
        ends = [i for i, call in enumerate(self.calls, 1) if call.measures and call.answer.state == "done"]
        return Conversation(opening=self.opening, calls=self.calls[ends[-1] if ends else 0 :])


def read_conversation(messages: list[dict[str, Any]]) -> Conversation:
    """Parse the `messages` of a Messages request."""
    results = {b["tool_use_id"]: b for b in _blocks(messages, "user") if b.get("type") == "tool_result"}
    calls: list[Call] = []
    for block in _blocks(messages, "assistant"):
        if block.get("type") == "tool_use" and (result := results.get(block["id"])):
            name = str(block["name"]).removeprefix(PREFIX)
            error = bool(result.get("is_error"))
            calls.append(Call(name=name, input=block["input"], text=_text(result.get("content")), error=error))
    opening = next((_text(m.get("content")) for m in messages if m.get("role") == "user"), "")
    return Conversation(opening=opening, calls=tuple(calls))


def _blocks(messages: list[dict[str, Any]], role: str) -> Iterable[dict[str, Any]]:
    for message in messages:
        content = message.get("content")
        if message.get("role") == role and isinstance(content, list):
            yield from cast(list[dict[str, Any]], content)


def _text(content: object) -> str:
    if isinstance(content, list):
        blocks = cast(list[dict[str, Any]], content)
        return "\n".join(str(block["text"]) for block in blocks if block.get("type") == "text")
    return content if isinstance(content, str) else ""
