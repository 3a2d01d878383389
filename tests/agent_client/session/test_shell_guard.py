"""The agent's shell: every command runs in a box or not at all, in sessions of the real Claude Code."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from agent_client.session.claude_options import WEB_TOOLS
from agent_client.session.shell_guard import ShellGuard
from lineage_repo.cli.main import main
from lineage_repo.errors import ShellError
from lineage_repo.model.session import EndReason
from lineage_repo.record.campaign import Campaign
from tests.support.scripted import (
    Blocks,
    command,
    lines,
    processes_of,
    results,
    run_session,
    scripted,
    server_environment,
    use,
)

BASH = ("Bash",)


def bash(line: str, **more: object) -> Blocks:
    return use("Bash", command=line, **more)


def sleeping(seconds: str) -> bool:
    """Whether any process of this host runs `sleep SECONDS`."""
    wanted = f"sleep\0{seconds}\0".encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if entry.read_bytes() == wanted:
                return True
    return False


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def hide_bubblewrap(folder: Path) -> None:
    config = folder / "config" / "espalier" / "host.toml"
    config.parent.mkdir(parents=True)
    config.write_text('bwrap = "no-such-bwrap"\n', "utf-8")


def open_shell(campaign: Campaign, folder: Path) -> ShellGuard:
    """Open a shell whose sandbox was not tested."""

    class Untested(ShellGuard):
        async def check(self) -> str:
            return "--own-user"

    shell = Untested(campaign, "opt", server_environment())
    asyncio.run(shell.open(folder))
    return shell


def test_the_hook_leaves_nothing_of_the_call_but_the_command_and_its_time(campaign: Campaign, tmp_path: Path) -> None:
    hook = open_shell(campaign, tmp_path).hook().hooks[0]
    asked = {"command": "ls; exit 3", "timeout": 5000, "dangerouslyDisableSandbox": True, "run_in_background": True}
    answer = asyncio.run(cast(Any, hook)({"tool_input": asked}, None, {"signal": None}))["hookSpecificOutput"]
    assert answer["permissionDecision"] == "allow"
    assert answer["updatedInput"].keys() == {"command", "timeout"}
    assert "ls; exit 3" not in answer["updatedInput"]["command"]


def test_the_hook_blocks_when_it_breaks_and_refuses_a_command_that_is_too_long(
    campaign: Campaign, tmp_path: Path
) -> None:
    shell = open_shell(campaign, tmp_path)
    assert shell.hook().on_failure == "block"
    with pytest.raises(ShellError, match="at most 60,000 bytes"):
        shell.wrap_command("x" * 60_001, None)


def test_the_gate_runs_the_door_and_nothing_else(campaign: Campaign, tmp_path: Path) -> None:
    open_shell(campaign, tmp_path)
    gate = str(tmp_path / "bash")
    refused = subprocess.run([gate, "-c", "echo ran"], capture_output=True, check=False)
    assert (refused.returncode, refused.stdout) == (126, b"")
    [door] = tmp_path.glob("door-*")
    assert subprocess.run([gate, "-c", f"echo {door}"], capture_output=True, check=True).stdout == f"{door}\n".encode()


@pytest.fixture
def listener() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.mark.slow
def test_a_command_reads_and_writes_nothing_but_the_working_copy(
    campaign: Campaign, tmp_path: Path, listener: socket.socket
) -> None:
    copy, other = campaign.paths.workdir("opt"), campaign.paths.workdir("model")
    other.mkdir(parents=True)
    (other / "theirs.py").write_text("secret = 'of-another'\n", "utf-8")
    (tmp_path / "home" / "note").write_text("of-home", "utf-8")
    port = listener.getsockname()[1]
    connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
    denied = (
        f"cat {campaign.folder}/lineage.git/HEAD",
        f"ls {campaign.folder}/sessions {campaign.folder}/trials",
        f"cat {campaign.settings.task_folder}/evaluator/*.py",
        f"ls {campaign.settings.task_folder}",
        f"ls {Path(__file__).parents[3]}/knowledge",
        f"cat {other}/theirs.py",
        f"cat {tmp_path}/home/note",
        "tr '\\0' '\\n' < /proc/1/environ | grep ANTHROPIC_API_KEY",
        "env | grep -i -e anthropic -e claude",
        f'python -c "{connect}"',
        f"echo x > {tmp_path}/written",
        f"echo x > {other}/written.py",
        "echo x > /usr/written",
        f"kill -9 {os.getpid()}",
    )
    calls = [bash(line) for line in denied]
    escape = bash(f"cat {tmp_path}/home/note", dangerouslyDisableSandbox=True)
    background = bash("sleep 977 & setsid sleep 977 & echo started", timeout=20_000)
    allowed = bash("pwd; echo 'X = 1' > extra.py && python -c 'import extra; print(extra.X + 41)'")
    key = "sk-ant-api03-not-a-real-key-000000000000"
    with scripted(*calls, escape, background, allowed) as url:
        record = run_session(campaign, url, key=key, extras=BASH, turns=60)
    answers = results(campaign, record)
    assert record.end_reason is EndReason.DONE, record.error
    assert record.extras == BASH
    assert [error for error, _ in answers] == [True] * (len(denied) + 1) + [False, False], answers
    texts = str(answers)
    assert not [word for word in ("of-another", "of-home", key, "ref: refs") if word in texts]
    assert "started" in answers[-2][1]
    assert "42" in answers[-1][1]
    assert (copy / "extra.py").read_text("utf-8") == "X = 1\n"
    assert not (tmp_path / "written").exists()
    assert not (other / "written.py").exists()
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert not sleeping("977")
    assert processes_of(campaign.folder) == {}
    assert "Bash` runs each command" in (campaign.folder / "sessions" / record.session / "system.md").read_text("utf-8")


@pytest.mark.slow
def test_a_command_has_limits_on_time_output_memory_files_and_processes(campaign: Campaign) -> None:
    turns = (
        bash("sleep 500", timeout=1500),
        bash("yes | head -c 300000000"),
        bash("python -c 'x = bytearray(40 << 30)'"),
        bash("head -c 2000000000 /dev/zero > big"),
        bash("for i in $(seq 500); do sleep 30 & done; wait", timeout=5000),
        bash("ln -s /etc/passwd link.py"),
        bash("touch .hidden"),
        bash("rm -rf *"),
    )
    before = {"features.py", "fit.py", "predict.py"}
    begun = time.monotonic()
    with scripted(*turns) as url:
        record = run_session(campaign, url, extras=BASH)
    assert time.monotonic() - begun < 120
    answers = results(campaign, record)
    assert "ended after 1.5 s" in answers[0][1]
    assert len(answers[1][1]) < 31_000
    assert "characters left out" in answers[1][1]
    assert "MemoryError" in answers[2][1]
    assert [error for error, _ in answers] == [True, False, *[True] * 6]
    assert {path.name for path in campaign.paths.workdir("opt").iterdir()} == before


@pytest.mark.slow
def test_a_session_whose_shell_can_not_be_isolated_ends_before_the_model_is_asked(
    campaign: Campaign, tmp_path: Path
) -> None:
    hide_bubblewrap(tmp_path)
    requests: list[bytes] = []
    with scripted(bash("ls"), seen=requests) as url:
        record = run_session(campaign, url, extras=BASH)
    assert record.end_reason is EndReason.UNGUARDED
    assert record.error is not None
    assert "no-such-bwrap is not installed: `apt-get install bubblewrap`" in record.error
    assert requests == []
    assert lines(campaign, record) == []


@pytest.mark.slow
def test_a_command_does_not_run_when_the_box_is_lost_in_mid_session(campaign: Campaign, tmp_path: Path) -> None:
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    ours, config = tmp_path / "bwrap", tmp_path / "config" / "espalier" / "host.toml"
    ours.symlink_to(bwrap)
    config.parent.mkdir(parents=True)
    config.write_text(f'bwrap = "{ours}"\n', "utf-8")
    written = tmp_path / "written"
    turns = (bash("echo inside"), use("Read", file_path="WORKDIR/fit.py"), bash(f"id -u; echo x > {written}"))

    class Vanishing(list[bytes]):
        """The requests that the model got; bubblewrap is gone when the third arrives."""

        def append(self, raw: bytes, /) -> None:
            super().append(raw)
            if len(self) == 3:
                ours.unlink()

    with scripted(*turns, seen=Vanishing()) as url:
        record = run_session(campaign, url, extras=BASH)
    answers = results(campaign, record)
    assert [error for error, _ in answers] == [False, False, True]
    assert "does not start" in answers[2][1]
    assert not written.exists()


@pytest.mark.slow
def test_a_command_dies_with_a_loop_that_is_killed(campaign: Campaign) -> None:
    with scripted(bash("sleep 966", timeout=500_000)) as url:
        argv = command(campaign, "--allow-bash", "--base-url", url, "--specialists", "opt", model="own")
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as loop:
            wait_until(lambda: sleeping("966"))
            loop.kill()
            wait_until(lambda: not sleeping("966"))
            wait_until(lambda: not processes_of(campaign.folder))


@pytest.mark.slow
def test_a_run_without_bubblewrap_refuses_a_shell_before_anything_starts(campaign: Campaign, tmp_path: Path) -> None:
    hide_bubblewrap(tmp_path)
    result = CliRunner().invoke(main, ["run", str(campaign.folder), "--model", "standin", "--allow-bash"])
    assert result.exit_code == 1
    assert "no-such-bwrap is not installed" in result.output
    assert not list((campaign.folder / "sessions").iterdir())


@pytest.mark.slow
def test_web_tools_are_offered_only_where_they_are_asked_for(campaign: Campaign) -> None:
    with scripted() as url:
        record = run_session(campaign, url, extras=WEB_TOOLS)
    init = next(line["data"] for line in lines(campaign, record) if line.get("subtype") == "init")
    assert record.end_reason is EndReason.DONE
    assert record.extras == WEB_TOOLS
    assert set(WEB_TOOLS) <= set(init["tools"])
    assert "Bash" not in init["tools"]
