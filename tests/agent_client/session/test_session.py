"""Sessions and runs end to end: the real Claude Code, the real server, the real evaluator, no key and no network."""

import hashlib
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_client.loop.budget import longest_trial_s
from agent_client.loop.state import RunSummary
from agent_client.session.tool_check import PROMPT
from agent_client.standin import server
from lineage_repo.model.measurement import Status
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.record.campaign import Campaign
from lineage_repo.verification.verify import verify
from tests.conftest import like, toy_task
from tests.support.scripted import Fault, command, espalier, lines, processes_of, results, run_session, scripted, use

pytestmark = pytest.mark.slow
SHORT = {"blocks": 2, "replicated_blocks": [4], "replicated_p": [0.01], "replicated_futile_t": []}
"""A rule that takes few turns, for runs of several trials and a replication."""


def test_a_session_of_the_standin_measures_a_trial_and_writes_its_files(campaign: Campaign) -> None:
    with server.serve() as url:
        record = run_session(campaign, url, submits=2)
    assert record.end_reason is EndReason.SUBMITS
    assert record.trials == (1, 2)
    assert record.cost_usd == 0
    trials = campaign.lineage.refresh().trials
    assert all(trials[n].status in {Status.KEEP, Status.DISCARD} for n in record.trials)
    assert all(trials[n].proposal.session == record.session for n in record.trials)
    folder = campaign.folder / "sessions" / record.session
    assert SessionRecord.model_validate_json((folder / "session.json").read_bytes()) == record
    assert "You are the specialist `opt`" in (folder / "brief.md").read_text("utf-8")
    assert [line["type"] for line in lines(campaign, record)][0::10][0] == "SystemMessage"
    assert processes_of(campaign.folder) == {}


def test_an_agent_reads_and_writes_nothing_outside_its_working_copy(campaign: Campaign, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-hidden-seed", encoding="utf-8")
    turns = (
        use("Read", file_path=str(secret)),
        use("Grep", pattern="hidden", path=str(tmp_path)),
        use("Write", file_path=str(tmp_path / "new.txt"), content="x"),
        use("Read", file_path=str(campaign.paths.workdir("opt") / "fit.py")),
    )
    with scripted(*turns) as url:
        record = run_session(campaign, url)
    answers = results(campaign, record)
    assert [error for error, _ in answers] == [True, True, True, False]
    assert all("working copy" in text for _, text in answers[:2])
    assert "denied by your permission settings" in answers[2][1]
    assert "the-hidden-seed" not in str(answers)
    assert not (tmp_path / "new.txt").exists()
    assert record.end_reason is EndReason.DONE
    assert record.last_words == "done"


def test_edit_does_not_reveal_what_is_outside_the_working_copy(campaign: Campaign) -> None:
    outside = [
        campaign.folder / name for name in ("lineage.git/HEAD", "lineage.git/none", "overview.js", "workdirs/op")
    ]
    with scripted(*(use("Edit", file_path=str(path), old_string="a", new_string="b") for path in outside)) as url:
        record = run_session(campaign, url)
    assert len({text for _, text in results(campaign, record)}) == 1, "whether the file exists or not"


def test_half_a_character_in_a_request_is_answered(campaign: Campaign) -> None:
    with scripted(espalier("read_lineage", view="similar", text="a \ud83d wave")) as url:
        record = run_session(campaign, url, idle_minutes=0.5)
    assert [error for error, _ in results(campaign, record)] == [False]
    assert record.end_reason is EndReason.DONE


def test_a_title_with_an_at_sign_does_not_make_the_agent_read_a_file(campaign: Campaign, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-hidden-seed", encoding="utf-8")
    submit = use(
        "mcp__espalier__submit_trial",
        title=f"@{secret}"[-60:],
        hypothesis=f"see @{secret} for the reason why",
        expected_delta=-0.1,
    )
    edit = use("Write", file_path=str(campaign.paths.workdir("opt") / "extra.py"), content="X = 1\n")
    with scripted(edit, submit) as url:
        assert run_session(campaign, url).trials == (1,)
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        run_session(campaign, url)
    assert f"@{secret}".encode() in requests[0]
    assert not any(b"the-hidden-seed" in request for request in requests)


def test_the_cap_on_turns_ends_a_session(campaign: Campaign) -> None:
    with server.serve() as url:
        assert run_session(campaign, url, turns=2).end_reason is EndReason.TURNS


def test_the_cap_on_tokens_ends_a_session(campaign: Campaign) -> None:
    wait = use("mcp__espalier__read_lineage", view="head")
    with scripted(*[wait] * 50, usage=600) as url:
        record = run_session(campaign, url, tokens=1000)
    assert record.end_reason is EndReason.TOKENS
    assert record.turns < 20


def test_the_cap_on_minutes_ends_a_session(campaign: Campaign) -> None:
    wait = use("mcp__espalier__read_lineage", view="head")
    with scripted(*[wait] * 5000) as url:
        assert run_session(campaign, url, minutes=0.05, turns=100_000).end_reason is EndReason.MINUTES


def test_a_session_without_our_server_ends_before_the_model_is_asked(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        record = run_session(campaign, url, server={"PATH": "/nonexistent"})
    assert requests == []
    assert record.end_reason is EndReason.SERVER_MISSING
    assert record.error is not None
    assert "espalier is failed" in record.error
    assert record.cost_usd in {None, 0}


def test_a_session_that_is_offered_other_tools_ends_before_the_model_is_asked(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        record = run_session(campaign, url, extras=("WebFetch", "NoSuchTool"))
    assert record.end_reason is EndReason.SERVER_MISSING
    assert record.error == "lacks ['NoSuchTool']"
    assert requests == []


def test_the_tool_check_leaves_nothing_in_the_conversation(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.DONE
    assert len(requests) == 1
    assert PROMPT.encode() not in requests[0]


def test_an_endpoint_that_refuses_the_request_is_an_api_error_and_not_a_success(campaign: Campaign) -> None:
    with scripted(faults=[Fault(400)] * 9) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.API_ERROR
    assert record.error
    assert record.trials == ()


def test_a_run_registers_exactly_the_asked_trials_and_the_same_command_resumes(campaign: Campaign) -> None:
    first = subprocess.run(command(campaign, "--trials", 3), capture_output=True, check=True, encoding="utf-8")
    summary = RunSummary.model_validate_json(first.stdout)
    assert (summary.reason, summary.trials, summary.recorded) == ("goal", 3, 3)
    assert sorted(campaign.lineage.refresh().trials) == [0, 1, 2, 3]
    assert "0001 " in first.stderr
    assert "ends (submits)" in first.stderr
    again = subprocess.run(command(campaign, "--trials", 3), capture_output=True, check=True, encoding="utf-8")
    assert RunSummary.model_validate_json(again.stdout).sessions == 0
    assert processes_of(campaign.folder) == {}


@pytest.mark.parametrize(
    "options",
    [{"arm": "generic", "agents": 2, "read_record": False}, {"arm": "single"}, {"arm": "roles", "read_record": False}],
)
@pytest.mark.timeout(240)
def test_the_stand_in_reaches_the_goal_in_every_arm(
    calibrated_toy: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    task = toy_task(tmp_path / "task", judge=SHORT)
    campaign = like(calibrated_toy, tmp_path / "arm", task, **options)
    done = subprocess.run(command(campaign, "--trials", 4), capture_output=True, check=True, encoding="utf-8")
    summary = RunSummary.model_validate_json(done.stdout)
    assert (summary.reason, summary.recorded) == ("goal", 4)
    trials = [trial for number, trial in campaign.lineage.refresh().trials.items() if number]
    assert {trial.proposal.specialist for trial in trials} == set(campaign.roster)
    for trial in trials:
        sent = (campaign.folder / "sessions" / trial.proposal.session / "brief.md").read_bytes()
        assert trial.digests["brief"] == hashlib.sha256(sent).hexdigest()
        assert (b"## Leaderboard" in sent) == campaign.settings.read_record
    assert verify(campaign.lineage.store).problems == ()
    assert processes_of(campaign.folder) == {}


def test_an_interrupted_run_ends_its_sessions_and_says_that_trials_go_on(campaign: Campaign) -> None:
    with subprocess.Popen(command(campaign, "--trials", 50), stdout=-1, stderr=-1, encoding="utf-8") as process:
        assert process.stderr is not None
        while "0001 " not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert RunSummary.model_validate_json(out).reason == "stopped"
    assert "the same command resumes" in err
    assert "ends (interrupted)" in err
    assert processes_of(campaign.folder) == {}


def test_the_longest_trial_covers_every_phase_of_every_seed(campaign: Campaign) -> None:
    task = campaign.task
    assert longest_trial_s(task) > sum(phase.limit_s for phase in task.phases) * task.n_seeds
