"""Steering a loop through files, and what a monitor sees of it."""

import json
import os
import subprocess
import sys
import termios
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent_client.loop import state as state_file
from agent_client.loop.plan import Plan
from lineage_repo.cli.main import main
from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.monitor import run_state
from lineage_repo.monitor.control import Control
from lineage_repo.monitor.health import read_status
from lineage_repo.monitor.overview import Overview
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from mcp_server.sandbox.host import Host
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.job import Job
from mcp_server.trial.queue import Ticket
from tests.support.trials import proposal, submit


def espalier(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def write_state(campaign: Campaign, **changes: Any) -> None:
    """Write what a running loop leaves behind."""
    plan: dict[str, Any] = {
        "models": {"opt": "m"}, "trials": None, "hours": 48, "no_improvement_hours": 4, "usd": 10, "concurrency": 1,
        "submits": None, "extras": [],
    }  # fmt: skip
    loop: dict[str, Any] = {
        "pid": 1, "began": now().isoformat(), "at": now().isoformat(), "reason": None, "detail": "", "plan": plan,
        "usd": 1.5, "hours": 2, "hours_since_keep": 1, "longest_trial_s": 600, "live": [], "waiting": [], "ended": [],
    }  # fmt: skip
    control = Control(campaign.folder)
    control.folder.mkdir(exist_ok=True)
    control.state.write_text(json.dumps(loop | changes), encoding="utf-8")


def alarms(campaign: Campaign) -> list[str]:
    return [alarm.kind for alarm in read_status(campaign.folder).alarms]


def state(campaign: Campaign) -> tuple[str, int]:
    return read_status(campaign.folder).state, espalier("status", campaign.folder, "--exit-code").exit_code


def test_readers_know_every_field_that_the_loop_writes() -> None:
    for reader, writer in (
        (run_state.RunState, state_file.RunState),
        (run_state.PlanView, Plan),
        (run_state.LiveSession, state_file.LiveSession),
        (run_state.WaitingSpecialist, state_file.Waiting),
        (run_state.EndedSession, state_file.EndedSession),
    ):
        assert reader._fields == tuple(writer.model_fields)


def test_status_prints_every_field_of_the_loop_and_of_the_overview(campaign: Campaign) -> None:
    write_state(campaign)
    shown = json.loads(espalier("status", campaign.folder, "--json").output)
    assert shown["loop"].keys() == {*run_state.RunState._fields, "alive", "paused"}
    assert shown["loop"]["plan"].keys() == set(run_state.PlanView._fields)
    added = {"schema", "loop", "news_at", "free_bytes", "alarms", "state", "slots"}
    assert shown.keys() == {*Overview._fields, *added}
    assert shown["schema"] == "espalier.status/3"


def test_each_command_says_so_when_no_loop_runs(campaign: Campaign) -> None:
    assert "the next `espalier run` waits" in espalier("pause", campaign.folder).output
    assert Control(campaign.folder).paused
    assert "no loop runs" in espalier("resume", campaign.folder).output
    assert "was not paused" in espalier("resume", campaign.folder).output
    stopped = espalier("stop", campaign.folder)
    assert (stopped.exit_code, "nothing to stop" in stopped.output) == (1, True)
    assert not Control(campaign.folder).take_stop()


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_a_folder_without_a_campaign_is_not_steered(tmp_path: Path, command: str) -> None:
    assert "is not a campaign" in espalier(command, tmp_path).output


def test_a_running_loop_is_paused_resumed_and_stopped_by_files(campaign: Campaign) -> None:
    control = Control(campaign.folder)
    lock = control.claim()
    write_state(campaign)
    assert "no session starts" in espalier("pause", campaign.folder).output
    assert state(campaign) == ("paused", 0)
    assert "starts sessions again" in espalier("resume", campaign.folder).output
    assert state(campaign) == ("running", 0)
    assert "trials that run go on" in espalier("stop", campaign.folder).output
    assert (control.take_stop(), control.take_stop()) == (True, False)
    locks.release(lock)


def test_only_one_loop_holds_a_campaign(campaign: Campaign) -> None:
    lock = Control(campaign.folder).claim()
    with pytest.raises(CampaignError, match="another run holds"):
        Control(campaign.folder).claim(patience_s=0.1)
    locks.release(lock)


def test_a_stop_meant_for_an_earlier_loop_is_removed_when_a_loop_takes_the_campaign(campaign: Campaign) -> None:
    control = Control(campaign.folder)
    control.folder.mkdir()
    control.stop()
    lock = control.claim()
    assert not control.take_stop()
    locks.release(lock)


def test_a_monitor_distinguishes_running_ended_and_dead_loops(campaign: Campaign) -> None:
    assert state(campaign) == ("idle", 5)
    write_state(campaign, reason="usd", detail="all of it")
    assert state(campaign) == ("done", 5)
    assert "ended (usd: all of it)" in espalier("status", campaign.folder).output
    write_state(campaign)
    assert state(campaign) == ("dead", 7)
    assert "the loop died" in espalier("status", campaign.folder).output


def test_a_loop_that_hangs_or_hears_nothing_is_stalled(campaign: Campaign) -> None:
    lock = Control(campaign.folder).claim()
    long_ago = (now() - timedelta(hours=1)).isoformat()
    write_state(campaign, at=long_ago)
    assert state(campaign) == ("stalled", 6)
    write_state(campaign, began=long_ago, longest_trial_s=-1)
    assert alarms(campaign) == ["stalled"]
    locks.release(lock)


def test_a_specialist_that_waits_for_a_named_moment_counts_as_active(campaign: Campaign) -> None:
    lock = Control(campaign.folder).claim()
    long_ago = (now() - timedelta(hours=1)).isoformat()
    os.utime(campaign.paths.ledger_ref, (0, 0))
    for hours, expected in ((1, []), (-0.5, ["stalled"])):
        until = (now() + timedelta(hours=hours)).isoformat()
        write_state(campaign, began=long_ago, waiting=[{"specialist": "opt", "until": until, "why": "it said so"}])
        assert alarms(campaign) == expected
    locks.release(lock)


def test_a_trial_that_waits_for_a_slot_counts_as_active(campaign: Campaign, host: Host) -> None:
    lineage, folder = campaign.lineage.refresh(), campaign.paths.trial(1).folder
    runner: list[int] = []
    lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: runner.append(locks.acquire(folder)))
    busy, executor, job = Ticket(host.state / "slots", host.slots), LocalExecutor(host), Job(folder / "job-1")
    assert busy.position() == 0
    executor.submit(job)
    lock = Control(campaign.folder).claim()
    write_state(campaign, began=(now() - timedelta(hours=1)).isoformat())
    seen: list[list[str]] = []
    for text in (executor.poll(job).detail, "fit"):
        (folder / "progress.txt").write_text(text, "utf-8")
        for path in (folder / "progress.txt", campaign.paths.ledger_ref):
            os.utime(path, (0, 0))
        seen.append(alarms(campaign))
    executor.cancel(job)
    busy.release()
    for descriptor in (lock, *runner):
        locks.release(descriptor)
    assert seen == [[], ["stalled"]]


def test_a_running_proof_shows_its_progress_and_a_dead_one_raises_an_alarm(campaign: Campaign) -> None:
    lineage, held = campaign.lineage.refresh(), list[int]()
    submit(lineage, 0.3)
    folder = campaign.paths.proof(1).folder
    lineage.register_proof("replicated", 1, 0, lambda _: held.append(locks.acquire(folder)))
    (folder / "progress.txt").write_text("block 3 of 4", "utf-8")
    shown = espalier("status", campaign.folder).output
    assert "proof 1   replication of #0001 against #0000: running (block 3 of 4)" in shown
    assert "block 3 of 4" in espalier("top", campaign.folder, "--once").output
    proof = json.loads(espalier("status", campaign.folder, "--json").output)["proof"]
    assert (proof["proof"], proof["outcome"], proof["alive"], proof["doing"]) == (1, None, True, "block 3 of 4")
    assert "running   block 3 of 4" in espalier("show", campaign.folder, "--proof", 1).output
    locks.release(held[0])
    assert alarms(campaign) == ["lost"]
    assert "its runner ended" in espalier("status", campaign.folder).output


def test_failing_sessions_raise_an_alarm(campaign: Campaign) -> None:
    failed = {"session": "s", "reason": "api_error", "failed": True, "error": "529"}
    write_state(campaign, reason="failing", ended=[failed] * 3)
    assert alarms(campaign) == ["failing"]
    write_state(campaign, reason="goal", ended=[failed, failed, failed | {"failed": False}])
    assert alarms(campaign) == []


def test_status_and_top_show_the_same_facts_and_spend_against_caps(campaign: Campaign) -> None:
    live = {"session": "s", "specialist": "opt", "since": now().isoformat(), "heard": now().isoformat()}
    lock = Control(campaign.folder).claim()
    write_state(campaign, live=[live | {"turns": 3, "tokens": 1200, "trials": [], "doing": "size_project"}])
    shown = json.loads(espalier("top", campaign.folder, "--json").output)
    assert shown.keys() == json.loads(espalier("status", campaign.folder, "--json").output).keys()
    assert shown["slots"] == {"total": 1, "busy": 0, "waiting": 0}
    frame = espalier("top", campaign.folder, "--once").output
    for text in ("running", "size_project", "3 turns, 1,200 tok", "no session", "1.50 of 10 USD", "0 of 1 busy"):
        assert text in frame
    locks.release(lock)


@pytest.mark.slow
def test_a_live_picture_leaves_on_q_and_puts_the_terminal_back(campaign: Campaign) -> None:
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    argv = [sys.executable, "-m", "lineage_repo.cli.main", "top", str(campaign.folder)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "140", "LINES": "40"}
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        shown = b""
        while b"q leaves" not in shown:
            shown += os.read(ours, 65_536)
        os.write(ours, b"q")
        assert process.wait(timeout=20) == 0
    assert b"specialists" in shown
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_sessions_and_trials_are_linked_both_ways(campaign: Campaign) -> None:
    report = SessionRecord(
        session="20260101-000000-opt-abcdef", specialist="opt", model="m", started=now(), ended=now(), caps=Caps(),
        end_reason=EndReason.SUBMITS, submits=2, trials=(3, 4), cost_usd=0.25,
    )  # fmt: skip
    folder = campaign.folder / "sessions" / report.session
    folder.mkdir(parents=True)
    (folder / "session.json").write_bytes(report.canonical())
    line = espalier("sessions", campaign.folder, "--trial", 4).output
    assert f"{report.session} " in line
    assert "submits" in line
    assert "0003 0004" in line
    assert "no session matches" in espalier("sessions", campaign.folder, "--trial", 5).output
    listed = json.loads(espalier("sessions", campaign.folder, "--json").output)["sessions"]
    assert SessionRecord.model_validate(listed[0]) == report
