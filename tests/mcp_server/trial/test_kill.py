"""Kill a writer at random points; nothing that was acknowledged may be lost or torn."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from mcp import Client

from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import JobPaths
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.cgroup import find_orphans, sweep
from tests.conftest import MakeWorkspace
from tests.mcp_server.trial.test_crash import GOOD, boxes, processes, serve, wait_until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


KILLS = int(os.environ.get("ESPALIER_KILLS", "25"))
WRITER = """
import sys
from pathlib import Path
from lineage_repo.storage import locks
from lineage_repo.record.campaign import Campaign
from tests.support.trials import finish, proposal

campaign = Campaign.open(Path(sys.argv[1]))
lineage = campaign.lineage.refresh()
campaign.recover()
lineage.repair_refs()
while True:
    body = f"x = {len(lineage.registered)}\\n".encode()
    acquired = []
    lock = lambda n: acquired.append(locks.acquire(campaign.paths.trial(n).folder))
    number = lineage.register(proposal(lineage, body=body), lineage.campaign.digests, lock)
    print("started", number, flush=True)
    finish(lineage, number, 0.5)
    print("recorded", number, flush=True)
    locks.release(acquired[0])
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_acknowledged_trial_is_lost_when_the_writer_is_killed(campaign: Campaign) -> None:
    chance = random.Random(20261121)
    acknowledged: dict[str, set[int]] = {"started": set(), "recorded": set()}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for kill in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(campaign.folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        assert writer.stdout
        lines = [writer.stdout.readline()]
        deadline = time.monotonic() + chance.uniform(0, 0.4)
        while time.monotonic() < deadline:
            lines.append(writer.stdout.readline())
        os.killpg(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        for word, number in (line.split() for line in lines if line.endswith("\n")):
            acknowledged[word].add(int(number))
        if kill % 25 == 24 or kill == KILLS - 1:
            now = Campaign.open(campaign.folder)
            lineage = now.lineage.refresh()
            assert acknowledged["started"] <= set(lineage.registered)
            assert acknowledged["recorded"] <= set(lineage.trials)
            now.recover()
            lineage.repair_refs()
            report = verify(lineage.store)
            assert report.problems == ()
            assert report.unfinished == ()
            assert sorted(lineage.trials) == list(range(len(lineage.trials)))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_left_of_a_trial_whose_runner_or_worker_was_killed(
    campaign: Campaign, make_workspace: MakeWorkspace
) -> None:
    chance, workspace = random.Random(3), make_workspace(max_submits=10**6)
    path = workspace.workdir.folder / "fit.py"
    start = path.read_text("utf-8").replace("import json\n", "import json\nimport time\n\ntime.sleep(0.5)\n")
    for kill in range(KILLS // 5 or 1):
        path.write_text(f"{start}# {kill}\n", "utf-8")
        number = workspace.submit("slow", "A slow recipe whose runner or worker is killed.", -0.1, "").trial
        deadline = time.monotonic() + chance.uniform(0.1, 1.5)
        while time.monotonic() < deadline and locks.is_alive(campaign.paths.trial(number).folder):
            os.sched_yield()
        victim = chance.choice(["mcp_server.trial.runner", "mcp_server.trial.worker"])
        for pid in processes(victim, str(campaign.folder))[:1]:
            os.kill(pid, signal.SIGKILL)
        locks.wait_for_release(campaign.paths.trial(number).folder)
        wait_until(lambda: not processes("mcp_server.trial.worker", str(campaign.folder)))
        sweep()
        wait_until(lambda: not boxes(campaign.folder))
        assert workspace.is_finished(number)
        assert left(campaign) == []
    assert verify(workspace.lineage.refresh().store).problems == ()


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_left_when_the_server_is_killed_in_a_trial(campaign: Campaign) -> None:
    chance, path = random.Random(5), campaign.paths.workdir("opt") / "fit.py"
    accepted: set[int] = set()
    for kill in range(KILLS // 5 or 1):
        with contextlib.suppress(ExceptionGroup), anyio.fail_after(60):
            async with Client(serve(campaign, "--max-submits", "1000")) as client, anyio.create_task_group() as tasks:
                path.write_text(f"{path.read_text('utf-8')}# {kill}\n", "utf-8")
                submitted = await client.call_tool("submit_trial", {**GOOD, "wait_s": 0})
                assert submitted.structured_content
                number = int(submitted.structured_content["trial"])
                accepted.add(number)
                tasks.start_soon(client.call_tool, "wait_trial", {"trial": number})
                await anyio.sleep(chance.uniform(0, 1))
                for pid in processes("lineage_repo.cli.main", str(campaign.folder)):
                    os.kill(pid, signal.SIGKILL)
        assert len(accepted) == kill + 1
        locks.wait_for_release(campaign.paths.trial(max(accepted)).folder)
        wait_until(lambda: not boxes(campaign.folder))
        assert left(campaign) == []
    assert accepted <= campaign.lineage.refresh().trials.keys()
    assert all(t.status is not Status.HARNESS_ABORT for t in campaign.lineage.trials.values())
    assert verify(campaign.lineage.store).problems == ()


def left(campaign: Campaign) -> list[str]:
    """List what trials left behind: staged files, hidden data, folders of boxes, mounts, control groups."""
    staged = [path for job in campaign.folder.glob("trials/*/job-*") for path in JobPaths(job).staged]
    scratch = [str(path) for path in staged if path.exists() or path.is_symlink()]
    mounts = [m for m in Path("/proc/self/mountinfo").read_text("utf-8").splitlines() if str(campaign.folder) in m]
    return [*scratch, *map(str, campaign.paths.boxes.glob("*")), *mounts, *map(str, find_orphans())]
