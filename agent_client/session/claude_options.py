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
"""What our server has only where the record may be read."""
SHELL_TOOLS = ("Bash",)
WEB_TOOLS = ("WebFetch", "WebSearch")
_DAY_MS = 86_400_000


def expected_tools(*, read_record: bool, extras: tuple[str, ...] = ()) -> frozenset[str]:
    """Exactly what the agent must be offered."""
    ours = TOOLS + READING_TOOLS if read_record else TOOLS
    return frozenset({*file_guard.FILE_TOOLS, *extras, *(PREFIX + tool for tool in ours)})


class Access(Record):
    """What the processes of a session need from the environment, read once at the entry point."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Mapping[str, str]
    """For Claude Code: credentials, endpoint, proxies."""
    server: Mapping[str, str]
    """For our own server, which starts the boxes."""
    redact: Redactor = Redactor()
    """Takes credentials out of everything that a session leaves."""


@dataclass(frozen=True)
class SessionFolder(SessionPaths):
    """Where a session's files lie, and the working copy that its agent edits."""

    workdir: Path

    @property
    def cli(self) -> Path:
        """The program that the SDK starts."""
        return self.folder / "claude.sh"


def tethered_cli(place: SessionFolder) -> Path:
    """Write the program that the SDK starts: Claude Code, which would outlive a killed loop by hours if left alone.

    Raises:
        CLINotFoundError: neither the SDK brings Claude Code nor does PATH hold it.
    """
    bundled = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    found = str(bundled) if bundled.is_file() else shutil.which("claude")
    if found is None:
        raise CLINotFoundError(
            "Claude Code not found: install a claude-agent-sdk wheel that brings it, or put it on PATH"
        )
    command = [sys.executable, "-I", "-S", pdeathsig.__file__, str(os.getpid()), found]
    place.cli.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    place.cli.chmod(0o700)
    return place.cli


def server_command(campaign: Path, specialist: str, session: str, submits: int, brief: str) -> list[str]:
    """The stdio server of one session; -I because its current folder is the working copy, which an agent writes."""
    module = [sys.executable, "-I", "-m", "lineage_repo.cli.main", "serve", str(campaign.resolve())]
    return [*module, "--specialist", specialist, "--session", session, "--max-submits", str(submits), "--brief", brief]


def options(
    place: SessionFolder,
    model: str,
    caps: Caps,
    access: Access,
    command: list[str],
    hooks: dict[HookEvent, list[HookMatcher]],
    extras: tuple[str, ...],
    shell: Mapping[str, str],
) -> ClaudeAgentOptions:
    """Everything that the SDK is told for one session; `shell` is what its environment needs for Bash."""
    server: dict[str, object] = {
        "type": "stdio",
        "command": command[0],
        "args": command[1:],
        "env": dict(access.server),
        "timeout": _DAY_MS,
    }
    return ClaudeAgentOptions(
        system_prompt={"type": "file", "path": str(place.system)},
        model=model,
        cli_path=tethered_cli(place),
        cwd=place.workdir,
        session_id=str(uuid4()),
        tools=[*file_guard.FILE_TOOLS, *extras],
        # No rule for Bash: only its hook may let a command through.
        allowed_tools=["Read(./**)", "Edit(./**)", PREFIX.removesuffix("__"), *(t for t in WEB_TOOLS if t in extras)],
        disallowed_tools=file_guard.denials(place.workdir),
        # The TypedDict lacks `timeout`, which the CLI reads: a trial may be silent for hours.
        mcp_servers={"espalier": cast(McpServerConfig, server)},
        strict_mcp_config=True,
        setting_sources=[],
        permission_mode="dontAsk",
        # Titles in the brief may hold `@/some/path`, which Claude Code would otherwise expand into the file's text.
        verbatim_prompts=True,
        # Only a stream tells how many tokens an answer took; the messages are made before it ends.
        include_partial_messages=True,
        max_turns=caps.turns,
        max_budget_usd=caps.usd,
        hooks=hooks,
        max_buffer_size=16_000_000,
        extra_args={"no-session-persistence": None},
        env={**_environment(place, access), **shell},
    )


def _environment(place: SessionFolder, access: Access) -> dict[str, str]:
    return {
        "HOME": str(place.home),
        "CLAUDE_CONFIG_DIR": str(place.home / ".claude"),
        "CLAUDE_CODE_TMPDIR": str(place.home),
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
