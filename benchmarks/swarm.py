"""What a swarm costs and how well it runs side by side: `python -m benchmarks.swarm`.

First it starts real sessions at once against a loopback endpoint and prints their memory and the time to the first tool
call. Then N submitters share N slots with trials that only sleep: E = T(N) / (N T(1)), T in trials per hour, as the
paper defines it. `--seconds 60` is nearer to real trials; shorter sleeps show more of the harness. Submitters begin
evenly over the first trial, since the loop staggers sessions too, or with `--at-once` all at the same moment.
"""

import asyncio
import json
import os
import tempfile
import threading
import time
from pathlib import Path

import click

from agent_client.session.claude_options import Access, Assignment
from agent_client.session.session import Session
from lineage_repo.model.session import SessionRecord
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import calibration
from mcp_server.trial.executor import LocalExecutor
from tests.conftest import crowd_task
from tests.support.scripted import espalier, processes_of, scripted


@click.command()
@click.option("--seconds", type=click.FloatRange(0), default=5.0, show_default=True, help="Sleep of a trial.")
@click.option("--submitters", default="1,5,10", show_default=True, help="Numbers of submitters, 1 among them.")
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True, help="Trials of each submitter.")
@click.option("--sessions", type=click.IntRange(1), default=10, show_default=True, help="Sessions started at once.")
@click.option("--at-once", is_flag=True, help="Let all submitters begin at the same moment.")
def main(seconds: float, submitters: str, rounds: int, sessions: int, at_once: bool) -> None:
    """Print both tables."""
    widths = sorted(int(n) for n in submitters.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        # The rule `any` gives every trial as many seeds, so that all trials sleep as long.
        task = crowd_task(root / "task", max(*widths, sessions), phase_seconds=seconds + 60, judge={"rule": "any"})
        start_sessions(make_campaign(root / "start", task, slots=1), sessions)
        print(f"\n{'submitters':>10} {'trials':>7} {'wall s':>8} {'trials/h':>9} {'efficiency':>11}")
        alone = 0.0
        for width in widths:
            apart = 0.0 if at_once else seconds / width
            walls = submit_all(make_campaign(root / f"wide-{width}", task, slots=width), width, rounds, seconds, apart)
            rate = sum(rounds / wall for wall in walls) * 3600
            alone = alone or rate / width
            print(f"{width:10} {width * rounds:7} {max(walls):8.1f} {rate:9.0f} {rate / (width * alone):11.3f}")


def make_campaign(folder: Path, task: TaskFolder, slots: int) -> tuple[Campaign, Host]:
    """A calibrated campaign on a host of its own."""
    host = Host(state=folder / "state", path=os.environ["PATH"], slots=slots)
    made = Campaign.create(folder / "campaign", task, n_seeds=1)
    calibration.calibrate(made, 2, LocalExecutor(host))
    return made, host


def start_sessions(made: tuple[Campaign, Host], count: int) -> None:
    """Start `count` sessions at the same moment and print how they begin."""
    folder = made[0].folder
    peak = [0.0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            peak[0] = max(peak[0], sum(read_private_bytes(pid) for pid in processes_of(folder)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with scripted(espalier("read_lineage", view="head")) as url:
        reports = asyncio.run(run_sessions(made[0], url, count))
    over.set()
    watcher.join()
    firsts = sorted(compute_first_call_s(folder, report) for report in reports)
    ends = sorted({str(report.end_reason) for report in reports})
    print(f"{count} sessions at once: first tool call after {firsts[0]:.1f} to {firsts[-1]:.1f} s, ", end="")
    print(f"{peak[0] / count / 2**20:.0f} MiB private memory each at the peak, ended: {', '.join(ends)}")


async def run_sessions(made: Campaign, url: str, count: int) -> list[SessionRecord]:
    """Run the sessions together, without the loop's staggering."""
    model = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "NO_PROXY": "127.0.0.1"}
    kept = ("PATH", "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    access = Access(model=model, server={name: os.environ[name] for name in kept if name in os.environ})
    names = made.settings.specialists[:count]
    assignments = [Assignment(specialist=name, model="standin", caps=caps_of(made, name)) for name in names]
    sessions = [Session(made, access, assignment) for assignment in assignments]
    return await asyncio.gather(*(session.run() for session in sessions))


def compute_first_call_s(folder: Path, report: SessionRecord) -> float:
    """Seconds from the start of a session to its first tool call."""
    line = (folder / "sessions" / report.session / "tools.jsonl").read_text("utf-8").splitlines()[0]
    at = json.loads(line)["at"]
    return (type(report.started).fromisoformat(at) - report.started).total_seconds()


def read_private_bytes(pid: int) -> int:
    """Return the private memory of a process; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def submit_all(made: tuple[Campaign, Host], width: int, rounds: int, seconds: float, apart: float) -> list[float]:
    """Let `width` submitters, started `apart` seconds apart, measure `rounds` trials each; return their seconds."""
    walls = [0.0] * width

    def timed(number: int) -> None:
        time.sleep(number * apart)
        begun = time.perf_counter()
        run_submitter(made, number, rounds, seconds)
        walls[number] = time.perf_counter() - begun

    threads = [threading.Thread(target=timed, args=(n,)) for n in range(width)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = [t for t in made[0].lineage.refresh().trials.values() if t.number and t.measurement]
    assert len(recorded) == width * rounds, [t.verdict for t in recorded]  # noqa: S101
    return walls


def run_submitter(made: tuple[Campaign, Host], number: int, rounds: int, seconds: float) -> None:
    """Act as one submitter: edit, submit, wait, and repeat."""
    workspace = Workspace(Campaign.open(made[0].folder), f"role{number}", f"bench-{number}", rounds, made[1])
    path = workspace.workdir.folder / "fit.py"
    text = path.read_text("utf-8")
    for turn in range(rounds):
        sleep = f"import time\ntime.sleep({seconds})  # {number} {turn}\nfound = fit("
        path.write_text(text.replace("found = fit(", sleep), "utf-8")
        trial = workspace.submit("sleeps", "A trial that sleeps measures how submitters share slots.", 0.0, "").trial
        locks.wait_for_release(workspace.campaign.paths.trial(trial).folder)
        workspace.is_finished(trial)
    workspace.workdir.close()


if __name__ == "__main__":
    main()
