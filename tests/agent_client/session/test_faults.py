"""What goes wrong in sessions: endpoints that fail, models that misbehave, servers that die, keys that are echoed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason
from lineage_repo.record.campaign import Campaign
from tests.support.scripted import (
    Fault,
    edit,
    espalier,
    lines,
    processes_of,
    results,
    run_session,
    scripted,
    submit,
    use,
)

pytestmark = pytest.mark.slow
KEY = "my-own-key.that+looks=like/nothing-known"


@pytest.mark.parametrize("code", [429, 500, 529, 0])
def test_an_error_that_passes_is_waited_out(campaign: Campaign, code: int) -> None:
    fault = Fault(code, (("retry-after", "1"),) if code == 429 else ())
    with scripted(edit(campaign, 1), submit(), faults=[fault]) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.SUBMITS
    assert record.trials == (1,)


@pytest.mark.parametrize("code", [429, 500, 529, 0])
def test_an_error_that_stays_is_a_transient_api_error(campaign: Campaign, code: int) -> None:
    begun = now()
    fault = Fault(code, (("retry-after", "2"),) if code == 429 else ())
    with scripted(faults=[fault] * 20) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.API_ERROR
    assert record.transient
    assert record.api_status == (code or None)
    assert record.error
    assert record.retry_at is None or record.retry_at > begun
    if code == 429:
        assert record.retry_at is not None


def test_refused_credentials_are_not_a_transient_error(campaign: Campaign) -> None:
    with scripted(faults=[Fault(401)] * 20) as url:
        record = run_session(campaign, url)
    assert (record.end_reason, record.api_status, record.transient) == (EndReason.API_ERROR, 401, False)


def test_unknown_tools_and_arguments_are_errors_that_the_model_sees(campaign: Campaign) -> None:
    turns = (
        use("Bash", command="id"),
        espalier("delete_lineage"),
        espalier("read_lineage", view="head", specialist="model"),
        edit(campaign, 1),
        submit("claims to be another", specialist="model"),
    )
    with scripted(*turns) as url:
        record = run_session(campaign, url)
    assert [error for error, _ in results(campaign, record)] == [True, True, True, False, True]
    assert record.end_reason is EndReason.DONE
    assert record.trials == ()
    assert sorted(campaign.lineage.refresh().registered) == [0]


def test_a_flood_of_words_neither_breaks_nor_enters_the_record(campaign: Campaign) -> None:
    flood = "so many words " * 20_000
    turns = (
        [{"type": "text", "text": flood}, *use("Read", file_path=str(campaign.paths.workdir("opt") / "fit.py"))],
        edit(campaign, 1),
        espalier("submit_trial", title="flood", hypothesis=flood, expected_delta=0.0),
    )
    with scripted(*turns) as url:
        record = run_session(campaign, url)
    assert record.end_reason is EndReason.DONE
    assert [error for error, _ in results(campaign, record)] == [False, False, True]
    assert record.trials == ()
    trace = campaign.folder / "sessions" / record.session / "tools.jsonl"
    assert trace.stat().st_size < 10_000


def test_a_placeholder_is_refused_and_a_session_that_never_submits_is_done(campaign: Campaign) -> None:
    empty = espalier("submit_trial", title="title", hypothesis="hypothesis here", expected_delta=0.0)
    with scripted(edit(campaign, 1), empty) as url:
        record = run_session(campaign, url)
    assert results(campaign, record)[1][0]
    assert "placeholder" in results(campaign, record)[1][1]
    assert (record.end_reason, record.trials, record.last_words) == (EndReason.DONE, (), "done")


def test_a_server_that_dies_in_a_session_costs_no_trial_and_no_session(campaign: Campaign) -> None:
    killed: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 40
        while not killed and time.monotonic() < deadline:
            servers = [p for p, line in processes_of(campaign.folder).items() if " serve " in line and "-I -m" in line]
            if servers and 1 in campaign.lineage.refresh().registered:
                os.kill(servers[0], signal.SIGKILL)
                killed.append(servers[0])
            threading.Event().wait(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    looks = [espalier("wait_trial", trial=1)] * 3
    with scripted(edit(campaign, 1), submit(wait_s=0), *looks) as url:
        record = run_session(campaign, url, submits=2)
    killer.join()
    assert killed
    assert record.trials == (1,)
    assert 1 in campaign.lineage.refresh().trials
    assert record.end_reason in {EndReason.DONE, EndReason.SUBMITS}


def test_a_key_that_the_endpoint_echoes_is_in_no_file_of_the_session(campaign: Campaign) -> None:
    echo = [{"type": "text", "text": f"Authorization: Bearer {KEY} and sk-ant-api03-{'a' * 40}"}]
    turns = (
        [*echo, *espalier("read_lineage", view=KEY)],
        edit(campaign, 1),
        espalier("submit_trial", title="a key", hypothesis=f"with sk-ant-api03-{'b' * 40} it works", expected_delta=0),
    )
    with scripted(*turns) as url:
        record = run_session(campaign, url, key=KEY)
    assert record.last_words == f"your key is {KEY}"  # the record in memory has it; what is written does not
    folder = campaign.folder / "sessions" / record.session
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {"transcript.jsonl", "tools.jsonl", "session.json", "brief.md"} <= {path.name for path in written}
    for path in written:
        text = path.read_text("utf-8")
        assert KEY not in text, path
        assert "sk-ant-api03-" not in text, path
    assert any("[redacted]" in str(line) for line in lines(campaign, record))
    assert "contains what looks like a key" in results(campaign, record)[2][1]
    assert KEY not in _all_text(campaign.paths.trials)


def _all_text(folder: Path) -> str:
    return "".join(p.read_bytes().decode("utf-8", "replace") for p in folder.rglob("*") if p.is_file())
