"""Plans, spend, pace, endpoints and notifications, without a session."""

import asyncio
import http.server
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent_client.loop.notify import Notifier
from agent_client.loop.pace import Pace
from agent_client.loop.spend import Spend, settle, union
from agent_client.session import endpoint
from lineage_repo.cli.main import main
from lineage_repo.errors import CampaignError, EndpointError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, SessionRecord, Usage
from lineage_repo.record.campaign import Campaign

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def report(begin_h: float = 0, end_h: float = 1, **changes: Any) -> SessionRecord:
    fields: dict[str, Any] = {
        "session": "s", "specialist": "opt", "model": "m", "submits": 1, "caps": Caps(),
        "started": NOON + timedelta(hours=begin_h), "ended": NOON + timedelta(hours=end_h),
        "end_reason": EndReason.DONE, "cost_usd": 1.0,
    }  # fmt: skip
    return SessionRecord.model_validate(fields | changes)


def test_hours_are_the_union_of_earlier_sessions_and_this_run_without_its_pauses() -> None:
    spend = Spend([report(0, 2), report(1, 3), report(5, 6)])
    assert spend.hours() == 4
    for hour, counts in ((10, True), (11, False), (20, True), (20.5, True)):
        spend.tick(NOON + timedelta(hours=hour), counts)
    assert spend.hours() == pytest.approx(5.5)
    assert spend.hours(NOON + timedelta(hours=10.5)) == pytest.approx(1.0)


def test_no_time_is_lost_or_doubled_between_touching_spans() -> None:
    spans = [(NOON, NOON + timedelta(1)), (NOON + timedelta(1), NOON + timedelta(2))]
    assert union(reversed(spans)) == [(NOON, NOON + timedelta(2))]


def test_a_session_whose_cost_was_lost_counts_with_its_cap_if_it_used_any_token() -> None:
    assert report(cost_usd=None, end_reason=EndReason.LOST).charged_usd == 0
    assert report(cost_usd=None, end_reason=EndReason.LOST, usage=Usage(input=5)).charged_usd == Caps().usd
    assert Spend([report(), report(cost_usd=None, usage=Usage(cache_read=1))]).usd == 1 + Caps().usd


def test_a_session_that_can_not_be_read_is_named_and_the_others_count(campaign: Campaign) -> None:
    for name, body in (("a", b"{"), ("b", report().canonical())):
        (campaign.folder / "sessions" / name).mkdir()
        (campaign.folder / "sessions" / name / "session.json").write_bytes(body)
    said: list[str] = []
    assert settle(campaign, said.append) == [report()]
    assert len(said) == 1
    assert "sessions/a/session.json is not a session record" in said[0]
    assert said[0].endswith("its USD and hours are not counted")
    dry = CliRunner().invoke(main, ["run", str(campaign.folder), "--model", "standin", "--dry-run"])
    assert (dry.exit_code, "sessions/a/session.json" in dry.output) == (0, True)


def test_waiting_grows_with_failures_in_a_row_and_ends_with_success() -> None:
    pace, failed = Pace(), report(end_reason=EndReason.API_ERROR, api_status=529)
    waits: list[float] = []
    for _ in range(4):
        pace.failed(failed)
        waits.append(pace.wait_s)
        pace.ready_at = 0.0
    assert all(2**n * 0.45 < wait < 2**n * 1.5 for n, wait in enumerate(waits, start=1))
    pace.worked()
    assert pace.failures == 0


def test_failures_of_one_moment_count_once_and_a_named_moment_is_waited_for() -> None:
    pace = Pace()
    limited = report(end_reason=EndReason.API_ERROR, api_status=429, retry_at=now() + timedelta(minutes=5))
    for _ in range(10):
        pace.failed(limited)
    assert pace.failures == 1
    assert 290 < pace.wait_s <= 300


@pytest.mark.parametrize(("status", "transient"), [(429, True), (529, True), (None, True), (401, False), (400, False)])
def test_only_errors_that_time_may_heal_are_transient(status: int | None, transient: bool) -> None:
    assert report(end_reason=EndReason.API_ERROR, api_status=status).transient is transient


@contextmanager
def models(code: int, message: str = "") -> Generator[tuple[str, list[str]]]:
    """An endpoint that answers every question for a model with this code; yields its address and the keys it saw."""
    keys: list[str] = []

    class Models(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(f"{self.path} {self.headers.get('x-api-key')}")
            body = json.dumps({"error": {"message": message}}).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", keys
        server.shutdown()
        thread.join()


def test_an_endpoint_is_asked_for_the_model_with_the_key_before_anything_is_spent() -> None:
    with models(200) as (url, keys):
        endpoint.check(["big"], endpoint.variables({"ANTHROPIC_API_KEY": "mine"}, url))
    assert keys == ["/v1/models/big mine"]


def test_an_endpoint_of_ones_own_needs_no_key_and_no_list_of_models() -> None:
    with models(404) as (url, keys):
        found = endpoint.variables({}, url)
        endpoint.check(["big"], found)
    assert (found["ANTHROPIC_API_KEY"], len(keys)) == ("none", 1)


def test_refused_credentials_and_dead_addresses_are_told_before_anything_is_spent() -> None:
    with models(401, "invalid x-api-key") as (url, _):
        found = endpoint.variables({"ANTHROPIC_API_KEY": "mine"}, url)
        with pytest.raises(EndpointError, match=r"refuses the credentials \(401 invalid x-api-key\)"):
            endpoint.check(["big"], found)
    with pytest.raises(EndpointError, match="can't be reached"):
        endpoint.check(["big"], found)
    with pytest.raises(EndpointError, match="no http or https address"):
        endpoint.check(["big"], found | {"ANTHROPIC_BASE_URL": "file:///etc"})


def test_a_dry_run_says_what_it_would_take_and_starts_nothing(campaign: Campaign) -> None:
    arguments = ["run", str(campaign.folder), "--model", "big", "--trials", "8", "--usd", "12", "--dry-run"]
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code == 0
    for text in ("8 to go", "4 if each uses its submits", "s a trial by calibration", "12.00 USD at worst", "48 h"):
        assert text in said.output
    found = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert (found["trials_to_go"], found["sessions"], found["usd_worst"], found["slots"]) == (8, 4, 12.0, 1)
    assert 0 < found["seconds_per_trial"] < 60
    assert list((campaign.folder / "sessions").iterdir()) == []
    assert not (campaign.folder / "run").exists()


def notified(command: str, *events: str, timeout_s: float = 20.0) -> list[str]:
    """What is said of notifications by a command."""
    said: list[str] = []

    async def tell() -> None:
        notifier = Notifier(command, {"PATH": "/usr/bin:/bin"}, said.append, timeout_s)
        for event in events:
            notifier(event, trial="0007", nothing=None)
        await notifier.close()

    asyncio.run(tell())
    return said


def test_a_notification_gets_its_facts_as_variables_and_no_shell(tmp_path: Path) -> None:
    script = tmp_path / "a script.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $(env | grep -c ESPALIER_) $ESPALIER_EVENT" >> {tmp_path}/told\n', "utf-8")
    script.chmod(0o700)
    assert notified(f"'{script}' '$HOME;'", "keep", "end") == []
    assert (tmp_path / "told").read_text("utf-8") == "$HOME; 2 keep\n$HOME; 2 end\n"


def test_a_notification_that_fails_or_hangs_is_said_and_nothing_else() -> None:
    assert notified("false", "end") == ["--notify: false exits 1 on end"]
    assert notified("sleep 60", "end", timeout_s=0.2) == ["--notify: sleep takes more than 0.2 s and is killed"]


@pytest.mark.parametrize("command", ["no-such-program-here --now", "unclosed 'quote", " "])
def test_a_notification_that_can_never_run_is_refused_at_the_start(command: str) -> None:
    with pytest.raises(CampaignError, match="--notify"):
        Notifier(command, {"PATH": "/usr/bin:/bin"}, print)
