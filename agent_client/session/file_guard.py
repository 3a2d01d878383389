"""The guard: a hook that keeps Claude Code's file tools inside the working copy, links resolved."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from claude_agent_sdk import HookContext, HookInput, HookMatcher
from claude_agent_sdk.types import HookCallback, HookJSONOutput

FILE_TOOLS = ("Read", "Edit", "Write", "Grep", "Glob")
_NEEDS_PATH = frozenset({"Read", "Edit", "Write"})
_MAGIC = re.compile(r"[*?\[{]")
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
"""What stands for itself neither in a pattern nor in a list of rules."""


def matcher(folder: Path) -> HookMatcher:
    """The PreToolUse hook for a working copy; a hook that fails blocks the tool."""
    return HookMatcher(matcher="|".join(FILE_TOOLS), hooks=[_guard(folder)], timeout=10, on_failure="block")


def denials(folder: Path) -> list[str]:
    """Rules for Claude Code that refuse whatever is neither in `folder` nor a folder above it.

    The hook comes too late for Edit and Write: Claude Code first tells whether a file is there, and names similar ones.
    """
    parts = [_PLAIN.sub("?", part) for part in folder.resolve().parts[1:]]
    above = ["/".join(["", *parts[:depth]]) for depth in range(len(parts))]
    return [f"Edit(/{place}/{other})" for place, part in zip(above, parts, strict=True) for other in _others(part)]


def _others(name: str) -> Iterator[str]:
    """Patterns that together match every other plain name, up to the case of letters."""
    for end, character in enumerate(name):
        if end:
            yield name[:end]
        if character != "?":
            yield f"{name[:end]}[{_all_but(character)}]*"
    yield f"{name}?*"


def _all_but(character: str) -> str:
    """The inside of a class: Claude Code reads neither `^` nor `!` there, and heeds no case."""
    if not character.isalnum():
        return "0-9A-Za-z" + "._-".replace(character, "")
    if character.isdigit():
        return f"{_span('0', character, '9')}A-Za-z._-"
    return f"0-9{_span('A', character.upper(), 'Z')}{_span('a', character.lower(), 'z')}._-"


def _span(first: str, left_out: str, last: str) -> str:
    before, after = chr(ord(left_out) - 1), chr(ord(left_out) + 1)
    return (f"{first}-{before}" if left_out > first else "") + (f"{after}-{last}" if left_out < last else "")


def find_refusal(folder: Path, tool: str, arguments: Mapping[str, object]) -> str | None:
    """Why a call may not run; None where everything that it names lies in `folder`."""
    home = folder.resolve()
    named = [arguments[key] for key in ("file_path", "path") if arguments.get(key) is not None]
    if tool in _NEEDS_PATH and not named:
        return f"{tool} needs a file_path inside {home}"
    if tool == "Glob" or (tool == "Grep" and arguments.get("glob") is not None):
        pattern = arguments.get("pattern" if tool == "Glob" else "glob")
        named.append(_MAGIC.split(pattern, maxsplit=1)[0] if isinstance(pattern, str) else pattern)
        if isinstance(pattern, str) and ".." in re.split(r"[/{},]", pattern):
            return f"{tool} may not climb out of your working copy {home}: leave '..' out of the pattern"
    for value in named:
        if not isinstance(value, str) or not _inside(home, value):
            return f"{tool} may only touch your working copy {home}: {str(value)[:200]!r} is outside of it"
    return None


def _inside(home: Path, value: str) -> bool:
    # Claude Code drops white space around a path, which would make another one of it.
    if value.startswith("~") or "\0" in value or value != value.strip():
        return False
    return (home / value).resolve().is_relative_to(home)


def denied(reason: str) -> HookJSONOutput:
    """What a PreToolUse hook answers for a call that may not run."""
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }
    }


def _guard(folder: Path) -> HookCallback:
    async def guard(hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        call = cast(Mapping[str, Any], hook)
        reason = find_refusal(folder, str(call["tool_name"]), call["tool_input"])
        if reason is None:
            return {}
        return denied(reason)

    return guard
