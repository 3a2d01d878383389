"""Activity: what a session does now and did so far, read from the messages of Claude Code."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    RateLimitEvent,
    SystemMessage,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)
from pydantic import AwareDatetime

from agent_client import frames
from agent_client.conversation import PREFIX
from lineage_repo.records import Record, now
from lineage_repo.sessions import Usage
from lineage_repo.text import clipped

_EXCERPT = 300


class ToolCall(Record):
    """A line of `tools.jsonl`."""

    at: AwareDatetime
    tool: str
    input: str
    """An excerpt."""
    seconds: float
    error: bool
    result: str
    """An excerpt."""


class Activity:
    """Told every message; asked what goes on."""

    def __init__(self) -> None:
        self.heard = time.monotonic()
        self.heard_at = now()
        self.begun = False
        self.calls: Counter[str] = Counter()
        self.errors = 0
        self.retry_at: datetime | None = None
        self._open: dict[str, tuple[ToolUseBlock, datetime]] = {}
        self._usage: dict[str, Usage] = {}

    @property
    def turns(self) -> int:
        """Answers of the model so far."""
        return len(self._usage)

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        parts = self._usage.values()
        return Usage(
            input=sum(p.input for p in parts),
            output=sum(p.output for p in parts),
            cache_creation=sum(p.cache_creation for p in parts),
            cache_read=sum(p.cache_read for p in parts),
        )

    @property
    def doing(self) -> str:
        """The tools that run now, or that the model thinks."""
        names = [short(block.name) for block, _ in self._open.values()]
        return ", ".join(names) if names else ("thinking" if self.begun else "starting")

    @property
    def dry_run(self) -> bool:
        """Whether the agent waits for a dry run, which may wait for a slot of the host."""
        return any(short(block.name) == "size_project" for block, _ in self._open.values())

    def touch(self) -> None:
        """Something happened: the session is not idle."""
        self.heard, self.heard_at = time.monotonic(), now()

    def take(self, message: Message) -> list[ToolCall]:
        """Learn from a message; return the tool calls that it ends."""
        self.touch()
        match message:
            case AssistantMessage():
                self.begun = True
                if message.usage:
                    self._usage[message.message_id or str(len(self._usage))] = frames.usage_of(message.usage)
                for block in message.content:
                    if isinstance(block, ToolUseBlock):
                        self._open[block.id] = (block, self.heard_at)
                        self.calls[short(block.name)] += 1
            case UserMessage(content=list() as blocks):
                return [call for block in blocks if isinstance(block, ToolResultBlock) for call in self._closed(block)]
            case RateLimitEvent(rate_limit_info=info) if info.status == "rejected" and info.resets_at:
                self.retry_at = datetime.fromtimestamp(info.resets_at, UTC)
            case SystemMessage(subtype="api_retry", data=data):
                delay = data.get("retry_delay_ms") or 0
                self.retry_at = self.heard_at + timedelta(milliseconds=float(delay))
            case _:
                pass
        return []

    def _closed(self, result: ToolResultBlock) -> list[ToolCall]:
        if result.tool_use_id not in self._open:
            return []
        block, begun = self._open.pop(result.tool_use_id)
        self.errors += bool(result.is_error)
        return [
            ToolCall(
                at=begun,
                tool=short(block.name),
                input=clipped(str(block.input), _EXCERPT),
                seconds=round((self.heard_at - begun).total_seconds(), 3),
                error=bool(result.is_error),
                result=clipped(str(result.content), _EXCERPT),
            )
        ]


def short(tool: str) -> str:
    """A tool's name without our server's prefix."""
    return clipped(tool.removeprefix(PREFIX), 60)
