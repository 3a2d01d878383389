"""The file guard: keeps Claude Code's file tools inside the working copy, with links resolved.

Two locks. A PreToolUse hook (`file_hook`) checks every path and pattern of a call. Rules (`deny_rules`) refuse the
paths that Claude Code looks at before it asks the hook. A call runs only if both allow it.
"""

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
"""Characters that may have a meaning in a pattern or in a list of rules."""


def file_hook(folder: Path) -> HookMatcher:
    """Build the PreToolUse hook that refuses file calls outside a working copy; a hook that fails blocks the call."""
    return HookMatcher(matcher="|".join(FILE_TOOLS), hooks=[_guard(folder)], timeout=10, on_failure="block")


def deny_rules(folder: Path) -> list[str]:
    """Build Claude Code's rules that refuse every path except `folder`, what is in it, and the folders above it.

    The hook comes too late for Edit and Write: Claude Code first says whether a file exists, and names similar ones.
    """
    parts = [_PLAIN.sub("?", part) for part in folder.resolve().parts[1:]]
    above = ["/".join(["", *parts[:depth]]) for depth in range(len(parts))]
    return [f"Edit(/{base}/{other})" for base, part in zip(above, parts, strict=True) for other in _match_others(part)]


def _match_others(name: str) -> Iterator[str]:
    """Yield patterns that together match every other plain name, up to the case of letters."""
    for end, character in enumerate(name):
        if end:
            yield name[:end]
        if character != "?":
            yield f"{name[:end]}[{_all_but(character)}]*"
    yield f"{name}?*"


def _all_but(character: str) -> str:
    """Spell a character class without negation: Claude Code reads neither `^` nor `!` there, and ignores case."""
    if not character.isalnum():
        return "0-9A-Za-z" + "._-".replace(character, "")
    if character.isdigit():
        return f"{_span('0', character, '9')}A-Za-z._-"
    return f"0-9{_span('A', character.upper(), 'Z')}{_span('a', character.lower(), 'z')}._-"


def _span(first: str, left_out: str, last: str) -> str:
    before, after = chr(ord(left_out) - 1), chr(ord(left_out) + 1)
    return (f"{first}-{before}" if left_out > first else "") + (f"{after}-{last}" if left_out < last else "")


def find_refusal(folder: Path, tool: str, arguments: Mapping[str, object]) -> str | None:
    """Find why a call may not run.

    Args:
        folder: The working copy; relative paths of a call start there, and links are followed.
        tool: One of `FILE_TOOLS`.
        arguments: The tool's input as the model wrote it, so any type may occur.

    Returns:
        The reason, written for the agent; None if every path and pattern stays inside `folder`.
    """
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
    # Claude Code strips white space around a path, which would turn it into another path.
    if value.startswith("~") or "\0" in value or value != value.strip():
        return False
    return (home / value).resolve().is_relative_to(home)


def deny(reason: str) -> HookJSONOutput:
    """Build the answer of a PreToolUse hook for a call that may not run."""
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
        return {} if reason is None else deny(reason)

    return guard
