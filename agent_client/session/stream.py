"""What a session does now and did so far, read from the messages of Claude Code."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    RateLimitEvent,
    StreamEvent,
    SystemMessage,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)
from pydantic import AwareDatetime

from agent_client.session import messages
from agent_client.standin.conversation import PREFIX
from lineage_repo.model.measurement import Record, now
from lineage_repo.model.session import Usage
from lineage_repo.text.sanitize import clip

_EXCERPT = 300


class ToolCall(Record):
    """A line of `tools.jsonl`."""

    at: AwareDatetime
    tool: str
    input: str
    """An excerpt."""
    seconds: float
    """Elapsed."""
    error: bool
    result: str
    """An excerpt."""


class Activity:
    """Takes every message of a session and keeps count of turns, tokens and tool calls."""

    def __init__(self) -> None:
        self.heard = time.monotonic()
        self.heard_at = now()
        self.begun = False
        self.calls: Counter[str] = Counter()
        self.errors = 0
        self.retry_at: datetime | None = None
        self._open: dict[str, tuple[ToolUseBlock, datetime]] = {}
        self._usage: list[Usage] = []
        self._last_id: str | None = None
        self._streamed = False

    @property
    def turns(self) -> int:
        """Answers of the model so far."""
        return len(self._usage)

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        names = Usage.model_fields
        return Usage.model_validate({name: sum(getattr(usage, name) for usage in self._usage) for name in names})

    @property
    def doing(self) -> str:
        """The tools that run now; `thinking` or `starting` if there are none."""
        names = [shorten(block.name) for block, _ in self._open.values()]
        return ", ".join(names) if names else ("thinking" if self.begun else "starting")

    @property
    def dry_run(self) -> bool:
        """Whether the agent waits for a dry run, which in turn may wait for a slot of the host."""
        return any(shorten(block.name) == "size_project" for block, _ in self._open.values())

    def touch(self) -> None:
        """Note that something happened, so the session is not idle."""
        self.heard, self.heard_at = time.monotonic(), now()

    def take(self, message: Message) -> list[ToolCall]:
        """Learn from a message; return the tool calls that it ends.

        Raises:
            UsageError: the message has token counts that are not numbers.
        """
        if isinstance(message, StreamEvent):
            self._count(message.event)  # parts of an answer do not touch: an endless answer must end as idle
            return []
        self.touch()
        match message:
            case AssistantMessage():
                self.begun = True
                if message.usage and not self._streamed:
                    self._add(messages.usage_of(message.usage), message.message_id)
                for block in message.content:
                    if isinstance(block, ToolUseBlock):
                        self._open[block.id] = (block, self.heard_at)
                        self.calls[shorten(block.name)] += 1
            case UserMessage(content=list() as blocks):
                return [call for block in blocks if isinstance(block, ToolResultBlock) for call in self._close(block)]
            case RateLimitEvent(rate_limit_info=info) if info.status == "rejected" and info.resets_at:
                self.retry_at = datetime.fromtimestamp(info.resets_at, UTC)
            case SystemMessage(subtype="api_retry", data=data):
                delay = data.get("retry_delay_ms") or 0
                self.retry_at = self.heard_at + timedelta(milliseconds=float(delay))
            case _:
                pass
        return []

    def _count(self, event: dict[str, Any]) -> None:
        """Take token counts from the stream: the message itself is built before its length is known."""
        match event:
            case {"type": "message_start", "message": {"usage": usage}}:
                self._streamed = True
                self._add(messages.usage_of(usage or {}), None)
            case {"type": "message_delta", "usage": usage} if self._usage:
                before, after = self._usage[-1], messages.usage_of(usage or {})
                most = {name: max(getattr(before, name), getattr(after, name)) for name in Usage.model_fields}
                self._usage[-1] = Usage.model_validate(most)
            case _:
                pass

    def _add(self, usage: Usage, message_id: str | None) -> None:
        """Count one more answer; messages with the same id are parts of one answer."""
        if message_id is not None and message_id == self._last_id:
            self._usage[-1] = usage
        else:
            self._usage.append(usage)
        self._last_id = message_id

    def _close(self, result: ToolResultBlock) -> list[ToolCall]:
        if result.tool_use_id not in self._open:
            return []
        block, begun = self._open.pop(result.tool_use_id)
        self.errors += bool(result.is_error)
        return [
            ToolCall(
                at=begun,
                tool=shorten(block.name),
                input=clip(str(block.input), _EXCERPT),
                seconds=round((self.heard_at - begun).total_seconds(), 3),
                error=bool(result.is_error),
                result=clip(str(result.content), _EXCERPT),
            )
        ]


def shorten(tool: str) -> str:
    """Shorten a tool's name by our server's prefix."""
    return clip(tool.removeprefix(PREFIX), 60)
