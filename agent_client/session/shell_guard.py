"""The shell guard: each command of Claude Code's Bash runs in a box or not at all.

Three locks, each of which fails closed. No rule allows Bash, so only the hook can allow a command. The hook allows only
our own program, which runs the agent's command in a box. Claude Code's SHELL is a gate that runs nothing else, even
where hooks are switched off from outside.
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

DEFAULT_S = 120.0
"""Time limit of a command that does not ask for another."""
MOST_S = 540.0
"""Claude Code gives up after ten minutes, and the box must end before that."""
_GRACE_S = 60.0
_MOST_BYTES = 60_000
"""Longest command: the kernel takes 128 KiB in one argument, and base64 needs a third more."""


class ShellGuard:
    """The shell of one specialist's session."""

    def __init__(self, campaign: Campaign, specialist: str, server: Mapping[str, str]) -> None:
        box = [sys.executable, "-I", "-m", "mcp_server.commands.agent_shell", str(campaign.folder), specialist]
        clean = [f"{name}={value}" for name, value in server.items()]
        # The box's program needs the operator's configuration of this host and nothing of Claude Code's environment.
        self._argv = ["/usr/bin/env", "-i", *clean, *box]
        self._search = server.get("PATH")
        self._door: Path | None = None

    async def check(self) -> str:
        """Test the sandbox and run an empty command in a box; return the flag that says how boxes are made here.

        Raises:
            ShellError: the sandbox does not isolate, or bash is missing.
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
            reason = clip(err.decode("utf-8", "replace"), 1500)
            raise ShellError(f"agents' commands can't be isolated here, so none may run: {reason}")
        return out.decode().strip()

    async def open(self, folder: Path) -> dict[str, str]:
        """Write the gate and the door to `folder`; return the variables that Claude Code needs.

        Raises:
            ShellError: as `check`.
        """
        flag = await self.check()
        # A name that no agent knows: the gate runs every command that names the door.
        self._door = folder / f"door-{secrets.token_hex(16)}"
        gate, bash = folder / "bash", shutil.which("bash", path=self._search)
        _write(self._door, f'exec {shlex.join([*self._argv, flag])} "$@"\n')
        run_door = f'case "$*" in *{self._door.name}*) exec {shlex.quote(str(bash))} "$@";; esac\n'
        _write(gate, f"{run_door}echo 'only commands in a box may run' >&2\nexit 126\n")
        return {"SHELL": str(gate), "CLAUDE_CODE_SHELL": str(gate)}

    def hook(self) -> HookMatcher:
        """Build the PreToolUse hook that sends every command through the door; a hook that fails blocks the call."""
        return HookMatcher(matcher="Bash", hooks=[self._redirect()], timeout=10, on_failure="block")

    def _redirect(self) -> HookCallback:
        async def redirect(hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
            tool_input = cast(Mapping[str, Any], hook)["tool_input"]
            try:
                boxed = self.wrap_command(tool_input["command"], tool_input.get("timeout"))
            except (ShellError, UnicodeEncodeError) as error:
                return file_guard.deny(f"the command can't run: {error}")
            return {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": "allow",
                    "updatedInput": boxed,
                }
            }

        return redirect

    def wrap_command(self, command: str, timeout_ms: float | None) -> dict[str, object]:
        """Build the input of Bash that runs `command` in a box; every other argument is left out.

        Raises:
            ShellError: the command is too long.
        """
        body = command.encode()
        if self._door is None or len(body) > _MOST_BYTES:
            raise ShellError(f"a command has at most {_MOST_BYTES:,} bytes: write a longer one to a file")
        limit_s = min(timeout_ms / 1000, MOST_S) if timeout_ms and timeout_ms > 0 else DEFAULT_S
        words = [str(self._door), "--seconds", f"{limit_s:g}", "--command", base64.b64encode(body).decode()]
        return {"command": shlex.join(words), "timeout": round((limit_s + _GRACE_S) * 1000)}


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    path.chmod(0o700)
