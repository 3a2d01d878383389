"""Read what the messages of Claude Code say about a session."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from claude_agent_sdk import Message, ResultMessage

from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, Usage
from lineage_repo.text.redact import Redactor
from lineage_repo.text.sanitize import clip

_MOST_TOKENS = 10**12
_MOST_CHARACTERS = 100_000

_SUBTYPES = {"error_max_turns": EndReason.TURNS, "error_max_budget_usd": EndReason.USD}


def end_of(result: ResultMessage | None) -> EndReason:
    """Read why a session ended; Claude Code calls an API error a success."""
    if result is None:
        return EndReason.CRASH
    if result.subtype in _SUBTYPES:
        return _SUBTYPES[result.subtype]
    if result.is_error:
        return EndReason.API_ERROR if result.subtype == "success" else EndReason.CRASH
    return EndReason.DONE


def find_wrong_tools(init: Mapping[str, Any], expected: frozenset[str]) -> str | None:
    """Say what is wrong with the tools of a session that has just begun; None if they are the expected ones."""
    if down := [f"the server {s['name']} is {s['status']}" for s in init["mcp_servers"] if s["status"] != "connected"]:
        return "; ".join(down)
    offered = set(cast(list[str], init["tools"]))
    lacking, extra = sorted(expected - offered), sorted(offered - expected)
    problems = [*([f"lacks {lacking}"] if lacking else []), *([f"has also {extra}"] if extra else [])]
    return "; ".join(problems) or None


def read_server_errors(home: Path) -> list[str]:
    """Read what the server wrote before it died, as far as Claude Code kept it."""
    logs = sorted(home.glob(".cache/claude-cli-nodejs/*/mcp-logs-espalier/*.jsonl"))
    lines = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines() if line[-1:] == "}"]
    return [str(line["error"]) for line in lines if "error" in line][-4:]


class UsageError(Exception):
    """The endpoint reports token counts that are not numbers, so the caps can't be checked."""


def usage_of(raw: object) -> Usage:
    """Read the token counts of a message.

    Raises:
        UsageError: the counts are not numbers of tokens.
    """
    if not isinstance(raw, Mapping):
        raise UsageError(f"the endpoint reports the usage {clip(str(raw), 100)}, which is not a table of counts")
    names = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [cast(Mapping[str, object], raw).get(name) or 0 for name in names]
    for name, count in zip(names, counts, strict=True):
        if not isinstance(count, int) or not 0 <= count < _MOST_TOKENS:
            raise UsageError(f"the endpoint reports {name} = {clip(str(count), 100)}, which is not a count of tokens")
    return Usage.model_validate(dict(zip(Usage.model_fields, counts, strict=True)))


def final_usage(result: ResultMessage | None) -> Usage:
    """Read the token counts of a whole session; zeros if they are missing or are not numbers."""
    try:
        return usage_of(result.usage) if result and result.usage else Usage()
    except UsageError:
        return Usage()


def to_json(message: Message, redact: Redactor) -> str:
    """Write an SDK message as one line of JSON without credentials; texts longer than a model reads are cut."""
    fields = {"type": type(message).__name__, "at": now().isoformat(), **dataclasses.asdict(message)}
    return json.dumps(redact.redact_data(fields, _cut))


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= _MOST_CHARACTERS
        else f"{text[:_MOST_CHARACTERS]} [{len(text) - _MOST_CHARACTERS:,} characters left out]"
    )
