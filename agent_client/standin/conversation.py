"""A conversation as the stand-in sees it: the opening message and every tool call with its result."""

import json
from collections.abc import Iterable
from typing import Any, cast

from lineage_repo.model.measurement import Record

PREFIX = "mcp__espalier__"
"""What the agent's tool names carry in front of ours."""


class Call(Record):
    """One tool call and what came back."""

    name: str
    """Without the server's prefix."""
    input: dict[str, Any]
    text: str
    error: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """The structured result; empty where the result is plain text."""
        try:
            found = json.loads(self.text)
        except json.JSONDecodeError:
            return {}
        return cast(dict[str, Any], found) if isinstance(found, dict) else {}


class Say(Record):
    """Text that ends the turn."""

    text: str


class Use(Record):
    """A tool that is to be called."""

    name: str
    input: dict[str, Any]


class Conversation(Record):
    """Everything that decides the next step."""

    opening: str
    calls: tuple[Call, ...] = ()

    def last(self, name: str, **wanted: object) -> Call | None:
        """The newest call of a tool whose input has these values."""
        return next((c for c in reversed(self.calls) if c.name == name and wanted.items() <= c.input.items()), None)

    def since(self, index: int) -> "Conversation":
        """The same conversation without its first calls."""
        return Conversation(opening=self.opening, calls=self.calls[index:])


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
