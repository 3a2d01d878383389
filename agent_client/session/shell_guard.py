"""The shell: Claude Code's Bash, each command of which runs in a box or not at all.

Three locks, each of which fails closed: no rule allows Bash, so nothing runs but what the hook allows; the hook allows
only our own program that holds the box, with the agent's command as an argument; and Claude Code's SHELL is a gate that
runs nothing else, also where hooks are switched off from outside.
"""

import asyncio
import base64
import secrets
import shlex
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from claude_agent_sdk import HookContext, HookInput, HookMatcher
from claude_agent_sdk.types import HookCallback, HookJSONOutput

from agent_client.session import file_guard
from lineage_repo.errors import ShellError
from lineage_repo.record.campaign import Campaign
from lineage_repo.text.sanitize import clip

SECONDS = 120.0
"""What a command may take unless it asks for more."""
MOST_S = 540.0
"""Claude Code gives up after ten minutes, and the box must have ended before."""
_GRACE_S = 60.0
_MOST_BYTES = 60_000
"""Of a command: the kernel takes 128 KiB in one argument, and base64 needs a third more."""


class ShellGuard:
    """The shell of one specialist's session."""

    def __init__(self, campaign: Campaign, specialist: str, server: Mapping[str, str]) -> None:
        box = [sys.executable, "-I", "-m", "mcp_server.commands.agent_shell", str(campaign.folder), specialist]
        clean = [f"{name}={value}" for name, value in server.items()]
        # The box's program needs the operator's configuration of this host, and nothing that Claude Code has.
        self._argv = ["/usr/bin/env", "-i", *clean, *box]
        self._search = server.get("PATH")
        self._door: Path | None = None

    async def check(self) -> str:
        """Test the walls and run an empty command in a box; return the flag that says how boxes are made here.

        Raises:
            ShellError: no wall holds, or bash is missing.
        """
        if shutil.which("bash", path=self._search) is None:
            raise ShellError("Claude Code's Bash needs bash: install it, or leave --allow-bash out")
        process = await asyncio.create_subprocess_exec(*self._argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            said = clip(err.decode("utf-8", "replace"), 1500)
            raise ShellError(f"no command of an agent can be held here, so none may run: {said}")
        return out.decode().strip()

    async def open(self, folder: Path) -> dict[str, str]:
        """Write gate and door to `folder`; return what Claude Code's environment needs. Raise `ShellError`."""
        flag = await self.check()
        # A name that no agent knows: the gate lets through whoever names the door.
        self._door = folder / f"door-{secrets.token_hex(16)}"
        gate, bash = folder / "bash", shutil.which("bash", path=self._search)
        _write(self._door, f'exec {shlex.join([*self._argv, flag])} "$@"\n')
        lets = f'case "$*" in *{self._door.name}*) exec {shlex.quote(str(bash))} "$@";; esac\n'
        _write(gate, f"{lets}echo 'only commands in a box may run' >&2\nexit 126\n")
        return {"SHELL": str(gate), "CLAUDE_CODE_SHELL": str(gate)}

    def matcher(self) -> HookMatcher:
        """The PreToolUse hook that sends every command through the door; one that fails blocks the tool."""
        return HookMatcher(matcher="Bash", hooks=[self._hook()], timeout=10, on_failure="block")

    def _hook(self) -> HookCallback:
        async def send(hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
            given = cast(Mapping[str, Any], hook)["tool_input"]
            try:
                boxed = self.boxed(given["command"], given.get("timeout"))
            except (ShellError, UnicodeEncodeError) as error:
                return file_guard.denied(f"the command can't run: {error}")
            return {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": "allow",
                    "updatedInput": boxed,
                }
            }

        return send

    def boxed(self, command: str, timeout_ms: float | None) -> dict[str, object]:
        """The input of Bash that runs `command` in a box; whatever else was asked for is left out."""
        body = command.encode()
        if self._door is None or len(body) > _MOST_BYTES:
            raise ShellError(f"a command has at most {_MOST_BYTES:,} bytes: write a longer one to a file")
        seconds = min(timeout_ms / 1000, MOST_S) if timeout_ms and timeout_ms > 0 else SECONDS
        words = [str(self._door), "--seconds", f"{seconds:g}", "--command", base64.b64encode(body).decode()]
        return {"command": shlex.join(words), "timeout": round((seconds + _GRACE_S) * 1000)}


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    path.chmod(0o700)
