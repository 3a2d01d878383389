"""What a session hands to Claude Code: tools, permissions, server, environment."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

import claude_agent_sdk
from claude_agent_sdk import ClaudeAgentOptions, CLINotFoundError, HookMatcher
from claude_agent_sdk.types import HookEvent, McpServerConfig
from pydantic import ConfigDict

from agent_client.session import file_guard, pdeathsig
from agent_client.standin.conversation import PREFIX
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import Record
from lineage_repo.model.paths import SessionPaths
from lineage_repo.text.redact import Redactor

TOOLS = ("syntax_check", "size_project", "submit_trial", "wait_trial", "rebase_to")
READING_TOOLS = ("read_snapshot", "diff_snapshots", "read_lineage")
"""Tools that our server has only where agents may read the record."""
SHELL_TOOLS = ("Bash",)
WEB_TOOLS = ("WebFetch", "WebSearch")
_DAY_MS = 86_400_000


def expected_tools(*, read_record: bool, extras: tuple[str, ...] = ()) -> frozenset[str]:
    """Return exactly the tools that the agent must be offered."""
    own = TOOLS + READING_TOOLS if read_record else TOOLS
    return frozenset({*file_guard.FILE_TOOLS, *extras, *(PREFIX + tool for tool in own)})


class Assignment(Record):
    """What one session is to do."""

    specialist: str
    model: str
    caps: Caps
    extras: tuple[str, ...] = ()
    """Claude Code's own tools that the agent gets beside the file tools."""


class Access(Record):
    """What the processes of a session need from the environment, read once where the command begins."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Mapping[str, str]
    """For Claude Code: credentials, endpoint, proxies."""
    server: Mapping[str, str]
    """For our own server, which starts the boxes."""
    redact: Redactor = Redactor()
    """Takes credentials out of everything that a session writes."""


@dataclass(frozen=True)
class SessionFolder(SessionPaths):
    """Where a session's files are, and the working copy that its agent edits."""

    workdir: Path

    @property
    def cli(self) -> Path:
        """The program that the SDK starts."""
        return self.folder / "claude.sh"


def write_cli(folder: SessionFolder) -> Path:
    """Write the program that the SDK starts: Claude Code, made to die with this process.

    Left alone, it would outlive a killed loop by hours.

    Raises:
        CLINotFoundError: the SDK does not bring Claude Code, and PATH does not have it.
    """
    bundled = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    claude = str(bundled) if bundled.is_file() else shutil.which("claude")
    if claude is None:
        raise CLINotFoundError(
            "Claude Code not found: install a claude-agent-sdk wheel that brings it, or put it on PATH"
        )
    command = [sys.executable, "-I", "-S", pdeathsig.__file__, str(os.getpid()), claude]
    folder.cli.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    folder.cli.chmod(0o700)
    return folder.cli


def server_command(campaign: Path, assignment: Assignment, session: str, brief_sha256: str) -> list[str]:
    """Build the command of the session's stdio server.

    It runs with -I because its current folder is the working copy, which an agent writes.
    """
    return [
        *(sys.executable, "-I", "-m", "lineage_repo.cli.main", "serve", str(campaign.resolve())),
        *("--specialist", assignment.specialist, "--session", session),
        *("--max-submits", str(assignment.caps.submits), "--brief", brief_sha256),
    ]


def agent_options(
    folder: SessionFolder,
    assignment: Assignment,
    access: Access,
    command: list[str],
    hooks: dict[HookEvent, list[HookMatcher]],
    shell: Mapping[str, str],
) -> ClaudeAgentOptions:
    """Build the SDK's options of one session.

    `command` starts our server, `hooks` hold the guards, and `shell` is what the environment needs for Bash.
    """
    server: dict[str, object] = {
        "type": "stdio",
        "command": command[0],
        "args": command[1:],
        "env": dict(access.server),
        "timeout": _DAY_MS,
    }
    extras, caps = assignment.extras, assignment.caps
    return ClaudeAgentOptions(
        system_prompt={"type": "file", "path": str(folder.system)},
        model=assignment.model,
        cli_path=write_cli(folder),
        cwd=folder.workdir,
        session_id=str(uuid4()),
        tools=[*file_guard.FILE_TOOLS, *extras],
        # No rule for Bash: only its hook may let a command through.
        allowed_tools=["Read(./**)", "Edit(./**)", PREFIX.removesuffix("__"), *(t for t in WEB_TOOLS if t in extras)],
        disallowed_tools=file_guard.deny_rules(folder.workdir),
        # The TypedDict lacks `timeout`, which the CLI reads: a trial may take hours without a message.
        mcp_servers={"espalier": cast(McpServerConfig, server)},
        strict_mcp_config=True,
        setting_sources=[],
        permission_mode="dontAsk",
        # Titles in the brief may contain `@/some/path`, which Claude Code would otherwise expand into the file's text.
        verbatim_prompts=True,
        # Only the stream says how many tokens an answer took; messages are built before it ends.
        include_partial_messages=True,
        max_turns=caps.turns,
        max_budget_usd=caps.usd,
        hooks=hooks,
        max_buffer_size=16_000_000,
        extra_args={"no-session-persistence": None},
        env={**_environment(folder, access), **shell},
    )


def _environment(folder: SessionFolder, access: Access) -> dict[str, str]:
    return {
        "HOME": str(folder.home),
        "CLAUDE_CONFIG_DIR": str(folder.home / ".claude"),
        "CLAUDE_CODE_TMPDIR": str(folder.home),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "CLAUDE_CODE_MAX_RETRIES": "5",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        # The server must not inherit the model's key.
        "CLAUDE_CODE_MCP_ALLOWLIST_ENV": "1",
        "CLAUDE_CODE_MCP_TOOL_IDLE_TIMEOUT": "0",
        # Sixteen sessions that start at once on two cores take half a minute to connect.
        "MCP_TIMEOUT": "180000",
        "ENABLE_PROMPT_CACHING_1H": "1",
        **access.model,
    }
