"""Sessions and runs end to end: the real Claude Code, the real server, the real evaluator, no key and no network."""

import hashlib
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_client.loop.campaign_loop import longest_trial_s
from agent_client.loop.state import RunSummary
from agent_client.standin import server
from lineage_repo.model.measurement import Status
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.record.campaign import Campaign
from lineage_repo.verification.verify import verify
from tests.conftest import like
from tests.support.scripted import Fault, command, espalier, hold, lines, processes_of, results, scripted, use

pytestmark = pytest.mark.slow


def test_a_session_of_the_standin_measures_a_trial_and_leaves_its_papers(campaign: Campaign) -> None:
    with server.serving() as url:
        report = hold(campaign, url, submits=2)
    assert report.end_reason is EndReason.SUBMITS
    assert report.trials == (1, 2)
    assert report.cost_usd == 0
    trials = campaign.lineage.refresh().trials
    assert all(trials[n].status in {Status.KEEP, Status.DISCARD} for n in report.trials)
    assert all(trials[n].proposal.session == report.session for n in report.trials)
    papers = campaign.folder / "sessions" / report.session
    assert SessionRecord.model_validate_json((papers / "session.json").read_bytes()) == report
    assert "You are the specialist `opt`" in (papers / "brief.md").read_text("utf-8")
    assert [line["type"] for line in lines(campaign, report)][0::10][0] == "SystemMessage"
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
        report = hold(campaign, url)
    found = results(campaign, report)
    assert [error for error, _ in found] == [True, True, True, False]
    assert all("working copy" in text for _, text in found[:2])
    assert "denied by your permission settings" in found[2][1]
    assert "the-hidden-seed" not in str(found)
    assert not (tmp_path / "new.txt").exists()
    assert report.end_reason is EndReason.DONE
    assert report.last_words == "done"


def test_edit_does_not_tell_what_lies_outside_the_working_copy(campaign: Campaign) -> None:
    outside = [
        campaign.folder / name for name in ("lineage.git/HEAD", "lineage.git/none", "overview.js", "workdirs/op")
    ]
    with scripted(*(use("Edit", file_path=str(path), old_string="a", new_string="b") for path in outside)) as url:
        report = hold(campaign, url)
    assert len({text for _, text in results(campaign, report)}) == 1, "there or not there, the answer is the same"


def test_half_a_character_in_a_request_is_answered(campaign: Campaign) -> None:
    with scripted(espalier("read_lineage", view="similar", text="a \ud83d wave")) as url:
        report = hold(campaign, url, idle_minutes=0.5)
    assert [error for error, _ in results(campaign, report)] == [False]
    assert report.end_reason is EndReason.DONE


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
        assert hold(campaign, url).trials == (1,)
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        hold(campaign, url)
    assert f"@{secret}".encode() in requests[0]
    assert not any(b"the-hidden-seed" in request for request in requests)


def test_the_cap_on_turns_ends_a_session(campaign: Campaign) -> None:
    with server.serving() as url:
        assert hold(campaign, url, turns=2).end_reason is EndReason.TURNS


def test_the_cap_on_tokens_ends_a_session(campaign: Campaign) -> None:
    wait = use("mcp__espalier__read_lineage", view="best")
    with scripted(*[wait] * 50, usage=600) as url:
        report = hold(campaign, url, tokens=1000)
    assert report.end_reason is EndReason.TOKENS
    assert report.turns < 20


def test_the_cap_on_minutes_ends_a_session(campaign: Campaign) -> None:
    wait = use("mcp__espalier__read_lineage", view="best")
    with scripted(*[wait] * 5000) as url:
        assert hold(campaign, url, minutes=0.05, turns=100_000).end_reason is EndReason.MINUTES


def test_a_session_without_our_server_ends_before_the_model_is_asked(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        report = hold(campaign, url, server={"PATH": "/nonexistent"})
    assert requests == []
    assert report.end_reason is EndReason.SERVER_MISSING
    assert report.error is not None
    assert "espalier is failed" in report.error
    assert report.cost_usd in {None, 0}


def test_a_session_that_is_offered_other_tools_ends_before_the_model_is_asked(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        report = hold(campaign, url, extras=("WebFetch", "NoSuchTool"))
    assert report.end_reason is EndReason.SERVER_MISSING
    assert report.error == "lacks ['NoSuchTool']"
    assert requests == []


def test_the_roll_call_leaves_nothing_in_the_conversation(campaign: Campaign) -> None:
    requests: list[bytes] = []
    with scripted(seen=requests) as url:
        report = hold(campaign, url)
    assert report.end_reason is EndReason.DONE
    assert len(requests) == 1
    assert b"roll call" not in requests[0]


def test_an_endpoint_that_refuses_the_request_is_an_api_error_and_no_success(campaign: Campaign) -> None:
    with scripted(faults=[Fault(400)] * 9) as url:
        report = hold(campaign, url)
    assert report.end_reason is EndReason.API_ERROR
    assert report.error
    assert report.trials == ()


def test_a_run_registers_exactly_the_asked_trials_and_the_same_command_resumes(campaign: Campaign) -> None:
    first = subprocess.run(command(campaign, "--trials", 3), capture_output=True, check=True, encoding="utf-8")
    report = RunSummary.model_validate_json(first.stdout)
    assert (report.reason, report.trials, report.recorded) == ("goal", 3, 3)
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
def test_the_stand_in_reaches_the_goal_in_every_arm(
    calibrated_toy: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    campaign = like(calibrated_toy, tmp_path / "arm", **options)
    done = subprocess.run(command(campaign, "--trials", 4), capture_output=True, check=True, encoding="utf-8")
    report = RunSummary.model_validate_json(done.stdout)
    assert (report.reason, report.recorded) == ("goal", 4)
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
