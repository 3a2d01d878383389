"""What is accepted is recorded, whatever dies."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host
from mcp_server.trial import runner
from tests.conftest import MakeWorkspace
from tests.support.trials import proposal

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.anyio
GOOD = {"title": "more steps", "hypothesis": "More gradient steps should fit the wave better.", "expected_delta": -0.05}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def processes(*words: str) -> list[int]:
    """Return the ids of live processes whose command line has every word."""
    pids: list[int] = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and all(word in line for word in words):
            pids.append(int(path.name))
    return pids


def boxes(campaign: Path) -> list[int]:
    """Return the ids of live processes that have folders of this campaign mounted."""
    pids: list[int] = []
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            if str(campaign) in path.read_text("utf-8"):
                pids.append(int(path.parent.name))
        except OSError:
            continue
    return pids


def wait_until(true: Callable[[], bool]) -> None:
    """Poll until something is true; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        os.sched_yield()


def slow_edit(campaign: Campaign, seconds: float) -> None:
    """Make the working copy better and slower."""
    path = campaign.paths.workdir("opt") / "fit.py"
    text = path.read_text("utf-8").replace("STEPS = 12", "STEPS = 40")
    path.write_text(text.replace("import json\n", f"import json\nimport time\n\ntime.sleep({seconds})\n"), "utf-8")


def serve(campaign: Campaign, *more: str) -> StdioServerParameters:
    arguments = [
        "-m",
        "lineage_repo.cli.main",
        "serve",
        str(campaign.folder),
        "--specialist",
        "opt",
        "--session",
        "s1",
        *more,
    ]
    names = ("HOME", "PATH", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    return StdioServerParameters(command=sys.executable, args=arguments, env={n: os.environ[n] for n in names})


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_server_speaks_both_eras_over_stdio(campaign: Campaign, mode: str) -> None:
    with anyio.fail_after(60):
        async with Client(serve(campaign), mode=mode) as client:  # type: ignore[arg-type]
            tools = await client.list_tools()
            assert len(tools.tools) == 8
            result = await client.call_tool("read_lineage", {"view": "head"})
    assert result.structured_content
    assert result.structured_content["rows"][0]["trial"] == 0


@pytest.mark.slow
async def test_a_trial_is_recorded_after_its_server_and_client_were_killed(campaign: Campaign) -> None:
    with anyio.fail_after(60):
        try:
            async with Client(serve(campaign)) as client:
                slow_edit(campaign, 0.3)
                result = await client.call_tool("submit_trial", {**GOOD, "wait_s": 0})
                assert result.structured_content
                assert result.structured_content["state"] == "running"
                for pid in processes("lineage_repo.cli.main", str(campaign.folder)):
                    os.kill(pid, signal.SIGKILL)
                raise ConnectionResetError
        except* (ConnectionResetError, OSError, anyio.BrokenResourceError):
            pass
    locks.wait_for_release(campaign.paths.trial(1).folder)
    assert campaign.lineage.refresh().trials[1].status is Status.KEEP
    assert verify(campaign.lineage.store).problems == ()


def test_a_killed_runner_ends_its_boxes_and_its_trial_is_recorded(
    campaign: Campaign, make_workspace: MakeWorkspace
) -> None:
    workspace = make_workspace()
    slow_edit(campaign, 4)
    workspace.submit("slow", "A slow recipe whose runner is killed.", -0.1, "")
    progress = campaign.paths.trial(1).progress
    wait_until(lambda: progress.exists() and "fit" in progress.read_text("utf-8"))
    assert workspace.read_progress(1) == "measuring", "agents are not told whose turn it is"
    worker = min(processes("mcp_server.trial.worker", str(campaign.folder)))  # a box is its fork for a moment
    (runner,) = processes("mcp_server.trial.runner", str(campaign.folder))
    os.kill(runner, signal.SIGKILL)
    locks.wait_for_release(campaign.paths.trial(1).folder)
    wait_until(lambda: not processes("mcp_server.trial.worker", str(campaign.folder)))
    sweep()
    wait_until(lambda: not boxes(campaign.folder))
    assert workspace.is_finished(1)
    trial = workspace.lineage.trials[1]
    assert trial.status is Status.HARNESS_ABORT
    assert "submit it again" in (trial.verdict.failure or "")
    assert not list(Path("/sys/fs/cgroup").glob(f"*/espalier-{worker}.*"))
    second = workspace.submit("slow", "The same recipe may be submitted again.", -0.1, "")
    assert second.trial == 2


@pytest.mark.slow
def test_the_client_in_the_documentation_submits_and_reads(calibrated_toy: Path, tmp_path: Path) -> None:
    _, _, code = (ROOT / "docs" / "tools.md").read_text("utf-8").rpartition("```python\n")
    shutil.copytree(calibrated_toy, tmp_path / "runs" / "first")
    done = subprocess.run(
        [sys.executable, "-c", code.partition("```")[0]],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    verdict, margin = done.stdout.splitlines()
    assert verdict.split()[0] in {"keep", "discard"}
    assert ast.literal_eval(margin)["name"] == "worst"


def test_the_log_of_a_runner_that_fails_holds_the_traceback(campaign: Campaign, host: Host) -> None:
    lineage, settings = campaign.lineage.refresh(), campaign.paths.settings
    number = lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: None)
    text = settings.read_text("utf-8")
    settings.write_text(text.replace(f"n_seeds = {campaign.settings.n_seeds}", "n_seeds = 7"), "utf-8")
    paths = campaign.paths.trial(number)
    lock = locks.acquire(paths.folder)
    runner.launch(campaign, number, host, lock)
    locks.release(lock)
    locks.wait_for_release(paths.folder)
    log = paths.log.read_text("utf-8")
    assert "Traceback (most recent call last)" in log
    assert "the ledger froze other n_seeds" in log
    assert campaign.lineage.refresh().trials[number].status is Status.HARNESS_ABORT
