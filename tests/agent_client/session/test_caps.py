"""Each cap of a session, reached in a scripted conversation of the real Claude Code with the real server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lineage_repo.model.session import EndReason
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.folder import TaskFolder
from tests.conftest import calibrated
from tests.support.scripted import edit, espalier, lines, results, run_session, scripted, submit

pytestmark = pytest.mark.slow


def test_the_cap_on_submits_ends_a_session_when_its_last_trial_is_recorded(campaign: Campaign) -> None:
    turns = (
        edit(campaign, 1),
        submit("first"),
        edit(campaign, 2),
        submit("second"),
        edit(campaign, 3),
        submit("third"),
    )
    with scripted(*turns) as url:
        record = run_session(campaign, url, submits=2)
    assert record.end_reason is EndReason.SUBMITS
    assert record.trials == (1, 2)
    assert sorted(campaign.lineage.refresh().registered) == [0, 1, 2]


def test_submitting_without_waiting_twice_is_refused_and_loses_nothing(campaign: Campaign) -> None:
    twice = (edit(campaign, 1), submit("first", wait_s=0), edit(campaign, 2), submit("second", wait_s=0))
    with scripted(*twice, espalier("wait_trial", trial=1)) as url:
        record = run_session(campaign, url, submits=2)
    assert "is still running: call wait_trial(trial=1) first" in results(campaign, record)[3][1]
    assert record.trials == (1,)
    assert record.tool_calls == {"Write": 2, "submit_trial": 2, "wait_trial": 1}
    assert record.tool_errors == 1
    assert 1 in campaign.lineage.trials


def test_the_cap_on_usd_ends_a_session_and_its_cost_is_known(campaign: Campaign) -> None:
    look = espalier("read_lineage", view="head")
    with scripted(*[look] * 50, usage=200_000) as url:
        record = run_session(campaign, url, usd=1.0, tokens=10**9)
    assert record.end_reason is EndReason.USD
    assert record.cost_usd is not None
    assert 1.0 <= record.cost_usd < 2.5
    assert record.charged_usd == record.cost_usd


def test_the_cap_on_tokens_counts_what_comes_at_the_end_of_an_answer(campaign: Campaign) -> None:
    with scripted(*[espalier("read_lineage", view="head")] * 20, output=400) as url:
        record = run_session(campaign, url, tokens=1000)
    assert record.end_reason is EndReason.TOKENS
    assert 1000 <= record.usage.output <= 2000


def test_counts_that_are_not_numbers_end_the_session_and_nothing_else(campaign: Campaign) -> None:
    with scripted(*[espalier("read_lineage", view="head")] * 5, usage=1.5) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.API_ERROR
    assert record.error == "the endpoint reports input_tokens = 1.5, which is not a count of tokens"


def test_a_session_whose_model_falls_silent_ends_as_idle(campaign: Campaign) -> None:
    with scripted(espalier("read_lineage", view="head"), hang_at=1) as url:
        record = run_session(campaign, url, idle_minutes=0.15)
    assert record.end_reason is EndReason.IDLE
    assert record.turns >= 1


def test_waiting_for_a_trial_does_not_count_as_idle(tmp_path: Path, make_task: Callable[..., TaskFolder]) -> None:
    task = make_task(phase_seconds=30, judge={"rule": "any"})  # two seeds, whatever the first one gives
    campaign = Campaign.open(calibrated(tmp_path / "slow", task))
    fit = campaign.lineage.refresh().read_recipe(0)["fit.py"].decode()
    slow = fit.replace("found = fit(", "import time\ntime.sleep(9)\nfound = fit(")
    campaign.paths.workdir("opt").mkdir(parents=True, exist_ok=True)
    write = edit(campaign, 1)
    write[0]["input"] = {"file_path": str(campaign.paths.workdir("opt") / "fit.py"), "content": slow}
    write[0]["name"] = "Write"
    read = [{**write[0], "id": "toolu_read", "name": "Read", "input": {"file_path": write[0]["input"]["file_path"]}}]
    with scripted(read, write, submit("sleeps for nine seconds a seed")) as url:
        record = run_session(campaign, url, idle_minutes=0.2)
    assert record.end_reason is EndReason.SUBMITS
    assert record.trials == (1,)
    [waited] = [call["seconds"] for call in lines(campaign, record, "tools.jsonl") if call["tool"] == "submit_trial"]
    assert waited > 18  # longer than the session may be idle
