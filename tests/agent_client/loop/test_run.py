"""Campaign runs: caps over all runs, pause and stop, killed loops, failing endpoints, ten sessions at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_client.loop.state import RunSummary
from lineage_repo.model.measurement import Status
from lineage_repo.model.session import EndReason, read_sessions
from lineage_repo.monitor.health import read_status
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from tests.conftest import calibrated, crowd_task
from tests.support.scripted import Fault, command, edit, edit_anywhere, espalier, processes_of, scripted, submit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_to_end(campaign: Campaign, *arguments: object, model: str = "standin", code: int = 0) -> RunSummary:
    """Run a loop to its end."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    argv = command(campaign, *arguments, model=model)
    done = subprocess.run(argv, capture_output=True, check=False, encoding="utf-8", env=environment)
    assert done.returncode == code, done.stderr
    return RunSummary.model_validate_json(done.stdout)


@contextmanager
def running(campaign: Campaign, *arguments: object, model: str = "standin") -> Generator[subprocess.Popen[str]]:
    """A run beside the test; killed at the end if it is still there."""
    argv = command(campaign, *arguments, model=model)
    with subprocess.Popen(argv, stdout=-1, stderr=-1, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is true, as long as the run lives."""
    deadline = time.monotonic() + 120
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        os.sched_yield()


def print_of(*arguments: object) -> str:
    """Return what one of our commands prints."""
    argv = [sys.executable, "-m", "lineage_repo.cli.main", *(str(a) for a in arguments)]
    return subprocess.run(argv, capture_output=True, check=True, encoding="utf-8").stdout


def test_a_paused_run_starts_nothing_until_it_is_resumed_and_a_stop_ends_it(campaign: Campaign) -> None:
    assert "no loop runs" in print_of("pause", campaign.folder)
    with running(campaign, "--trials", 1) as process:
        wait_until(lambda: read_status(campaign.folder).state == "paused", process)
        assert list(read_sessions(campaign.folder)) == []
        assert "starts sessions again" in print_of("resume", campaign.folder)
        out, _ = process.communicate(timeout=120)
    assert RunSummary.model_validate_json(out).reason == "goal"
    with running(campaign, "--trials", 50) as process:
        wait_until(lambda: 2 in campaign.lineage.refresh().registered, process)
        assert "stopping" in print_of("stop", campaign.folder)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, RunSummary.model_validate_json(out).reason) == (0, "stopped")
    assert "ends (interrupted)" in err
    assert read_status(campaign.folder).state == "done"
    assert processes_of(campaign.folder) == {}


def test_a_loop_killed_in_a_trial_loses_no_trial_and_the_same_command_resumes(campaign: Campaign) -> None:
    with running(campaign, "--trials", 3, "--specialists", "opt") as process:
        wait_until(lambda: 1 in campaign.lineage.refresh().registered, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert read_status(campaign.folder).state == "dead"
    assert "the loop died" in print_of("status", campaign.folder)
    locks.wait_for_release(campaign.paths.trial(1).folder)
    assert campaign.lineage.refresh().trials[1].status is not Status.HARNESS_ABORT
    summary = run_to_end(campaign, "--trials", 3, "--specialists", "opt")
    assert (summary.reason, summary.trials, summary.recorded) == ("goal", 3, 3)
    lost = next(read_sessions(campaign.folder))
    assert (lost.end_reason, lost.trials) == (EndReason.LOST, (1,))
    assert not (campaign.folder / "sessions" / lost.session / "home").exists()


def test_hours_are_counted_over_all_runs(campaign: Campaign) -> None:
    first = run_to_end(campaign, "--hours", 0.002)
    assert first.reason == "hours"
    assert first.campaign_hours >= 0.002
    again = run_to_end(campaign, "--hours", 0.001)
    assert (again.reason, again.sessions) == ("hours", 0)
    assert {record.end_reason for record in read_sessions(campaign.folder)} <= {
        EndReason.CAMPAIGN, EndReason.MINUTES, EndReason.SUBMITS,
    }  # fmt: skip


def test_a_run_without_a_keep_ends(campaign: Campaign) -> None:
    turns = (edit(campaign, 1), submit())
    with scripted(*turns) as url:
        summary = run_to_end(
            campaign, "--no-improvement-hours", 0.003, "--base-url", url, "--specialists", "opt", model="own"
        )
    assert summary.reason == "no_improvement"
    assert summary.detail.startswith("no keep for 0.00")


def test_usd_are_shared_by_the_sessions_and_counted_over_all_runs(campaign: Campaign) -> None:
    look_twice = [espalier("read_lineage", view="head")] * 2
    turns = (*look_twice, edit(campaign, 1), submit())
    with scripted(*turns, usage=100_000) as url:
        arguments = ("--usd", 1.0, "--base-url", url, "--specialists", "opt")
        summary = run_to_end(campaign, *arguments, model="claude-sonnet-5")
        assert summary.reason == "usd"
        assert 0.95 <= summary.campaign_usd < 1.5
        again = run_to_end(campaign, *arguments, model="claude-sonnet-5")
    assert (again.reason, again.sessions, again.cost_usd) == ("usd", 0, 0.0)
    assert again.campaign_usd == summary.campaign_usd
    assert next(r.caps.usd for r in read_sessions(campaign.folder) if r.caps) == 1.0


def test_a_model_that_is_refused_ends_the_run_as_failing_and_notifies_the_operator(
    campaign: Campaign, tmp_path: Path
) -> None:
    script = tmp_path / "notify.sh"
    script.write_text(
        f'#!/bin/sh\necho "$ESPALIER_EVENT $ESPALIER_ALARM $ESPALIER_REASON" >> {tmp_path}/events\nexit 3\n'
    )
    script.chmod(0o700)
    with scripted(faults=[Fault(400)] * 99) as url:
        arguments = ("--base-url", url, "--notify", script, "--specialists", "opt")
        summary = run_to_end(campaign, *arguments, model="own", code=1)
    assert (summary.reason, summary.sessions) == ("failing", 3)
    assert "scripted 400" in summary.detail
    assert (tmp_path / "events").read_text("utf-8").splitlines() == ["alarm failing ", "end  failing"]


def test_a_keep_is_notified_and_a_notification_that_hangs_disturbs_nothing(campaign: Campaign, tmp_path: Path) -> None:
    script = tmp_path / "hang.sh"
    script.write_text(f"#!/bin/sh\nenv | grep ESPALIER_ >> {tmp_path}/events\nsleep 2\n")
    script.chmod(0o700)
    summary = run_to_end(campaign, "--trials", 4, "--specialists", "opt", "--notify", script)
    assert summary.reason == "goal"
    lines = (tmp_path / "events").read_text("utf-8").splitlines()
    keeps = [t.number for t in campaign.lineage.refresh().trials.values() if t.status is Status.KEEP]
    assert [f"ESPALIER_TRIAL={n:04d}" for n in keeps] == [line for line in lines if line.startswith("ESPALIER_TRIAL=")]
    assert "ESPALIER_EVENT=end" in lines
    assert f"ESPALIER_CAMPAIGN={campaign.folder}" in lines


def test_ten_sessions_share_two_cores(tmp_path: Path) -> None:
    campaign = Campaign.open(calibrated(tmp_path / "crowd", crowd_task(tmp_path / "task", 10)))
    with scripted(edit_anywhere(), submit()) as url:
        summary = run_to_end(campaign, "--trials", 10, "--submits", 1, "--base-url", url, model="own")
    assert (summary.reason, summary.recorded, summary.sessions) == ("goal", 10, 10)
    records = list(read_sessions(campaign.folder))
    assert {r.end_reason for r in records} == {EndReason.SUBMITS}
    assert len({r.specialist for r in records}) == 10
    assert sorted(n for r in records for n in r.trials) == list(range(1, 11))
    shown = print_of("sessions", campaign.folder)
    assert all(r.session in shown for r in records)
    frame: Any = print_of("top", campaign.folder, "--once")
    assert "role9" in frame
    assert processes_of(campaign.folder) == {}
