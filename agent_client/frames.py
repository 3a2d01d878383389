"""Frames: what the messages of Claude Code say about a session."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from claude_agent_sdk import Message, ResultMessage

from lineage_repo.records import now
from lineage_repo.sessions import EndReason, Usage

_SUBTYPES = {"error_max_turns": EndReason.TURNS, "error_max_budget_usd": EndReason.USD}


def end_of(result: ResultMessage | None) -> EndReason:
    """The end that Claude Code reports: an API error calls itself a success."""
    if result is None:
        return EndReason.CRASH
    if result.subtype in _SUBTYPES:
        return _SUBTYPES[result.subtype]
    if result.is_error:
        return EndReason.API_ERROR if result.subtype == "success" else EndReason.CRASH
    return EndReason.DONE


def wrong_tools(init: Mapping[str, Any], expected: frozenset[str]) -> str | None:
    """What is wrong with the tools of a session that has just begun; None if they are exactly the expected ones."""
    if down := [f"the server {s['name']} is {s['status']}" for s in init["mcp_servers"] if s["status"] != "connected"]:
        return "; ".join(down)
    offered = set(cast(list[str], init["tools"]))
    lacking, extra = sorted(expected - offered), sorted(offered - expected)
    problems = [*([f"lacks {lacking}"] if lacking else []), *([f"has also {extra}"] if extra else [])]
    return "; ".join(problems) or None


def server_errors(home: Path) -> list[str]:
    """What the server said before it died, as far as Claude Code kept it."""
    logs = sorted(home.glob(".cache/claude-cli-nodejs/*/mcp-logs-espalier/*.jsonl"))
    lines = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines() if line[-1:] == "}"]
    return [str(line["error"]) for line in lines if "error" in line][-4:]


def usage_of(raw: Mapping[str, Any]) -> Usage:
    """The token counts of a message."""
    return Usage(
        input=raw.get("input_tokens") or 0,
        output=raw.get("output_tokens") or 0,
        cache_creation=raw.get("cache_creation_input_tokens") or 0,
        cache_read=raw.get("cache_read_input_tokens") or 0,
    )


def line_of(message: Message) -> str:
    """An SDK message as one line of JSON."""
    fields = {"type": type(message).__name__, "at": now().isoformat(), **dataclasses.asdict(message)}
    return json.dumps(fields, default=str) + "\n"
