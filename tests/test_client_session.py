"""Sessions and runs end to end: the real Claude Code, the real server, the real evaluator, no key and no network."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent_client import standin
from agent_client.loop import longest_trial_s
from agent_client.options import Access
from agent_client.prompt import caps_of
from agent_client.report import RunReport
from agent_client.session import Session
from lineage_repo.campaign import Campaign
from lineage_repo.records import Status
from lineage_repo.sessions import EndReason, SessionReport
from lineage_repo.verify import verify
from tests.conftest import like

pytestmark = pytest.mark.slow


def server_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}


def hold(campaign: Campaign, url: str, *, submits: int = 1, server: dict[str, str] | None = None) -> SessionReport:
    """Hold one session of opt against a Messages endpoint."""

    async def talk() -> SessionReport:
        model = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "NO_PROXY": "127.0.0.1"}
        access = Access(model=model, server=server if server is not None else server_environment())
        caps = caps_of(campaign, "opt").model_copy(update={"submits": submits})
        return await Session(campaign, access, "opt", "standin", caps).run()

    return asyncio.run(talk())


def lines(campaign: Campaign, report: SessionReport) -> list[dict[str, Any]]:
    text = (campaign.folder / "sessions" / report.session / "transcript.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def scripted(
    *turns: list[dict[str, Any]], usage: int = 0, code: int = 200, seen: list[bytes] | None = None
) -> Generator[str]:
    """An endpoint that answers the n-th request of a conversation with the n-th turn, then with words."""

    class Script(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            if seen is not None:
                seen.append(raw)
            request = json.loads(raw)
            said = sum(m["role"] == "assistant" for m in request["messages"])
            content = turns[said] if said < len(turns) else [{"type": "text", "text": "done"}]
            message: dict[str, Any] = {
                "id": f"msg_{said}",
                "type": "message",
                "role": "assistant",
                "model": request["model"],
                "content": content,
                "stop_reason": "tool_use" if said < len(turns) else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": usage, "output_tokens": 1},
            }
            body = standin.events(message)
            self.send_response(code)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(name: str, **arguments: object) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": arguments}]


def processes_of(folder: Path) -> list[str]:
    """Command lines of agents and servers that work for a campaign."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in line and ("stream-json" in line or " serve " in line):
            found.append(line)
    return found


def test_a_session_of_the_standin_measures_a_trial_and_leaves_its_papers(campaign: Campaign) -> None:
    with standin.serving() as url:
        report = hold(campaign, url, submits=2)
    assert report.end_reason is EndReason.SUBMITS
    assert report.trials == (1, 2)
    assert report.cost_usd == 0
    trials = campaign.lineage.refresh().trials
    assert all(trials[n].status in {Status.KEEP, Status.DISCARD} for n in report.trials)
    assert all(trials[n].proposal.session == report.session for n in report.trials)
    papers = campaign.folder / "sessions" / report.session
    assert SessionReport.model_validate_json((papers / "session.json").read_bytes()) == report
    assert "You are the specialist `opt`" in (papers / "brief.md").read_text("utf-8")
    assert [line["type"] for line in lines(campaign, report)][0::10][0] == "SystemMessage"
    assert processes_of(campaign.folder) == []


def test_an_agent_reads_and_writes_nothing_outside_its_working_copy(campaign: Campaign, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-hidden-seed", encoding="utf-8")
    turns = (
        use("Read", file_path=str(secret)),
        use("Grep", pattern="hidden", path=str(tmp_path)),
        use("Write", file_path=str(tmp_path / "new.txt"), content="x"),
        use("Read", file_path=str(campaign.workdir("opt") / "fit.py")),
    )
    with scripted(*turns) as url:
        report = hold(campaign, url)
    results = [block for line in lines(campaign, report) if line["type"] == "UserMessage" for block in line["content"]]
    assert [bool(block["is_error"]) for block in results] == [True, True, True, False]
    assert all("working copy" in str(block["content"]) for block in results[:3])
    assert "the-hidden-seed" not in str(results)
    assert not (tmp_path / "new.txt").exists()
    assert report.end_reason is EndReason.DONE
    assert report.last_words == "done"


def test_a_title_with_an_at_sign_does_not_make_the_agent_read_a_file(campaign: Campaign, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-hidden-seed", encoding="utf-8")
    submit = use(
        "mcp__espalier__submit_trial",
        title=f"@{secret}"[-60:],
        hypothesis=f"see @{secret} for the reason why",
        expected_delta=-0.1,
    )
    edit = use("Write", file_path=str(campaign.workdir("opt") / "extra.py"), content="X = 1\n")
    with scripted(edit, submit) as url:
        assert hold(campaign, url).trials == (1,)
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        hold(campaign, url)
    assert f"@{secret}".encode() in requests[0]
    assert not any(b"the-hidden-seed" in request for request in requests)


def test_the_cap_on_turns_ends_a_session(campaign: Campaign) -> None:
    capped = campaign.settings.caps.model_copy(update={"turns": 2})
    campaign.settings = campaign.settings.model_copy(update={"caps": capped})
    with standin.serving() as url:
        assert hold(campaign, url).end_reason is EndReason.TURNS


def test_the_cap_on_tokens_ends_a_session(campaign: Campaign) -> None:
    capped = campaign.settings.caps.model_copy(update={"tokens": 1000})
    campaign.settings = campaign.settings.model_copy(update={"caps": capped})
    wait = use("mcp__espalier__read_lineage", view="best")
    with scripted(*[wait] * 50, usage=600) as url:
        report = hold(campaign, url)
    assert report.end_reason is EndReason.TOKENS
    assert report.turns < 20


def test_the_cap_on_minutes_ends_a_session(campaign: Campaign) -> None:
    capped = campaign.settings.caps.model_copy(update={"minutes": 0.05, "turns": 100_000})
    campaign.settings = campaign.settings.model_copy(update={"caps": capped})
    wait = use("mcp__espalier__read_lineage", view="best")
    with scripted(*[wait] * 5000) as url:
        assert hold(campaign, url).end_reason is EndReason.MINUTES


def test_a_session_without_our_server_ends_before_the_model_is_asked(campaign: Campaign) -> None:
    with standin.serving() as url:
        report = hold(campaign, url, server={"PATH": "/nonexistent"})
    assert report.end_reason is EndReason.SERVER_MISSING
    assert report.error is not None
    assert "espalier is failed" in report.error
    assert not [line for line in lines(campaign, report) if line["type"] == "AssistantMessage"]


def test_an_endpoint_that_refuses_the_request_is_an_api_error_and_no_success(campaign: Campaign) -> None:
    with scripted(code=400) as url:
        report = hold(campaign, url)
    assert report.end_reason is EndReason.API_ERROR
    assert report.error
    assert report.trials == ()


def run_command(campaign: Campaign, trials: int) -> list[str]:
    command = [sys.executable, "-m", "lineage_repo.cli", "run", str(campaign.folder), "--model", "standin"]
    return [*command, "--trials", str(trials), "--json"]


def test_a_run_registers_exactly_the_asked_trials_and_the_same_command_resumes(campaign: Campaign) -> None:
    first = subprocess.run(run_command(campaign, 3), capture_output=True, check=True, encoding="utf-8")
    report = RunReport.model_validate_json(first.stdout)
    assert (report.reason, report.trials, report.recorded) == ("goal", 3, 3)
    assert sorted(campaign.lineage.refresh().trials) == [0, 1, 2, 3]
    assert "0001 " in first.stderr
    assert "ends (submits)" in first.stderr
    again = subprocess.run(run_command(campaign, 3), capture_output=True, check=True, encoding="utf-8")
    assert RunReport.model_validate_json(again.stdout).sessions == 0
    assert processes_of(campaign.folder) == []


@pytest.mark.parametrize(
    "options",
    [{"arm": "generic", "agents": 2, "lineage": False}, {"arm": "single"}, {"arm": "roles", "lineage": False}],
)
def test_the_stand_in_reaches_the_goal_in_every_arm(
    calibrated_toy: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    campaign = like(calibrated_toy, tmp_path / "arm", **options)
    done = subprocess.run(run_command(campaign, 4), capture_output=True, check=True, encoding="utf-8")
    report = RunReport.model_validate_json(done.stdout)
    assert (report.reason, report.recorded) == ("goal", 4)
    trials = [trial for number, trial in campaign.lineage.refresh().trials.items() if number]
    assert {trial.proposal.specialist for trial in trials} == set(campaign.roster)
    for trial in trials:
        sent = (campaign.folder / "sessions" / trial.proposal.session / "brief.md").read_bytes()
        assert trial.digests["brief"] == hashlib.sha256(sent).hexdigest()
        assert (b"## Leaderboard" in sent) == campaign.settings.lineage
    assert verify(campaign.lineage.store).problems == ()
    assert processes_of(campaign.folder) == []


def test_an_interrupted_run_ends_its_sessions_and_says_that_trials_go_on(campaign: Campaign) -> None:
    with subprocess.Popen(run_command(campaign, 50), stdout=-1, stderr=-1, encoding="utf-8") as process:
        assert process.stderr is not None
        while "0001 " not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert RunReport.model_validate_json(out).reason == "stopped"
    assert "the same command resumes" in err
    assert "ends (interrupted)" in err
    assert processes_of(campaign.folder) == []


def test_the_longest_trial_covers_every_phase_of_every_seed(campaign: Campaign) -> None:
    task = campaign.task
    assert longest_trial_s(task) > sum(phase.seconds for phase in task.phases) * task.seeds
