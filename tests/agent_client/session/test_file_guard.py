"""The file guard: which file calls may run, and that a broken hook blocks."""

import asyncio
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import pytest
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient

from agent_client.session.file_guard import FILE_TOOLS, deny_rules, file_hook, find_refusal
from agent_client.session.tool_check import ToolCheck
from lineage_repo.model.session import EndReason
from tests.support.scripted import scripted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    (copy / "sub").mkdir(parents=True)
    (copy / "train.py").write_text("x = 1\n", encoding="utf-8")
    (copy / "link.py").symlink_to("/etc/passwd")
    (copy / "linked").symlink_to(tmp_path)
    (tmp_path / "copy-beside").mkdir()
    return copy


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Read", {"file_path": "train.py"}),
        ("Write", {"file_path": "sub/new.py"}),
        ("Edit", {"file_path": "sub/../train.py"}),
        ("Grep", {"pattern": "../.*"}),
        ("Grep", {"pattern": "x", "path": "sub", "glob": "*.{py,toml}"}),
        ("Glob", {"pattern": "**/*.py"}),
        ("Glob", {"pattern": "*.py", "path": "."}),
    ],
)
def test_calls_inside_the_working_copy_run(folder: Path, tool: str, arguments: dict[str, object]) -> None:
    assert find_refusal(folder, tool, arguments) is None


def test_absolute_paths_inside_the_working_copy_run(folder: Path) -> None:
    assert find_refusal(folder, "Read", {"file_path": str(folder / "train.py")}) is None
    assert find_refusal(folder, "Glob", {"pattern": f"{folder}/**/*.py"}) is None


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Read", {"file_path": "/etc/passwd"}),
        ("Read", {"file_path": "../other/train.py"}),
        ("Read", {"file_path": "../copy-beside/x.py"}),
        ("Read", {"file_path": "link.py"}),
        ("Write", {"file_path": "linked/x.py"}),
        ("Edit", {"file_path": "~/.bashrc"}),
        ("Read", {"file_path": "a\0b"}),
        ("Read", {"file_path": 7}),
        ("Read", {}),
        ("Grep", {"pattern": "key", "path": "/root"}),
        ("Grep", {"pattern": "key", "glob": "../**"}),
        ("Glob", {"pattern": "/etc/*"}),
        ("Glob", {"pattern": "{../*,*.py}"}),
        ("Glob", {"pattern": "sub/../../*"}),
        ("Glob", {"pattern": "*", "path": "linked"}),
        ("Glob", {"pattern": "linked/*"}),
    ],
)
def test_calls_outside_the_working_copy_are_refused(folder: Path, tool: str, arguments: dict[str, object]) -> None:
    assert find_refusal(folder, tool, arguments) is not None


def call_hook(folder: Path, hook: dict[str, Any]) -> dict[str, Any]:
    guard = file_hook(folder).hooks[0]
    answer = guard(cast(Any, hook), None, {"signal": None})
    return cast(dict[str, Any], asyncio.run(cast(Any, answer)))


def test_the_hook_denies_with_a_reason_and_has_no_opinion_otherwise(folder: Path) -> None:
    inside = {"tool_name": "Read", "tool_input": {"file_path": "train.py"}}
    outside = {"tool_name": "Read", "tool_input": {"file_path": "/etc/passwd"}}
    assert call_hook(folder, inside) == {}
    denied = call_hook(folder, outside)["hookSpecificOutput"]
    assert denied["permissionDecision"] == "deny"
    assert "/etc/passwd" in denied["permissionDecisionReason"]


def test_the_hook_covers_every_file_tool_and_blocks_when_it_breaks(folder: Path) -> None:
    hook = file_hook(folder)
    assert hook.on_failure == "block"
    assert hook.matcher == "|".join(FILE_TOOLS)
    with pytest.raises(KeyError):
        call_hook(folder, {"tool_name": "Read"})


@pytest.mark.slow
@pytest.mark.parametrize("hooked", [True, False])
def test_the_tool_check_finds_out_whether_hooks_work_at_all(folder: Path, hooked: bool) -> None:
    requests: list[bytes] = []

    async def run(url: str) -> tuple[EndReason, str] | None:
        check = ToolCheck(frozenset({"Read"}))
        settings = ClaudeAgentOptions(
            model="claude-sonnet-5",
            cwd=folder,
            tools=["Read"],
            setting_sources=[],
            hooks={"UserPromptSubmit": [check.hook()]} if hooked else {},
            env={"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "NO_PROXY": "127.0.0.1"},
        )
        async with ClaudeSDKClient(settings) as client:
            async for _ in check.run(client):
                pass
        return check.problem

    with scripted(seen=requests) as url:
        wrong = asyncio.run(run(url))
    assert bool(requests) != hooked
    assert (wrong and wrong[0]) == (None if hooked else EndReason.UNGUARDED)


@pytest.mark.parametrize(
    "path", ["/a", "/ab", "/abd", "/abcd", "/xy/z", "/abc/.rk", "/abc/w-rk1", "/abc/w_rk", "/abc/w-1"]
)
def test_rules_deny_every_path_beside_the_way_to_the_working_copy(path: str) -> None:
    rules = [rule.removeprefix("Edit(/").removesuffix(")") for rule in deny_rules(Path("/abc/w-rk"))]
    assert any(_covers(rule, path) for rule in rules)
    assert not any(_covers(rule, kept) for rule in rules for kept in ("/abc", "/abc/w-rk", "/abc/w-rk/train.py"))
    assert not [rule for rule in rules if set(rule) & set(",() ")], "what a list of rules is written with"


def _covers(rule: str, path: str) -> bool:
    """Match as a .gitignore does: a folder that matches covers everything in it."""
    wanted, parts = rule.split("/"), path.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))
