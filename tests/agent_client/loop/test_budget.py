"""Budgets, back-off, forecasts and notifications, without a session."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent_client.loop.backoff import Delay
from agent_client.loop.budget import Spend, merge_spans, settle_sessions
from agent_client.loop.notify import Notifier
from lineage_repo.cli.main import main
from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, SessionRecord, Usage
from lineage_repo.record.campaign import Campaign

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def session_record(begin_h: float = 0, end_h: float = 1, **changes: Any) -> SessionRecord:
    fields: dict[str, Any] = {
        "session": "s", "specialist": "opt", "model": "m", "submits": 1, "caps": Caps(),
        "started": NOON + timedelta(hours=begin_h), "ended": NOON + timedelta(hours=end_h),
        "end_reason": EndReason.DONE, "cost_usd": 1.0,
    }  # fmt: skip
    return SessionRecord.model_validate(fields | changes)


def test_hours_are_the_union_of_earlier_sessions_and_this_run_without_its_pauses() -> None:
    spend = Spend([session_record(0, 2), session_record(1, 3), session_record(5, 6)])
    assert spend.hours() == 4
    for hour, counts in ((10, True), (11, False), (20, True), (20.5, True)):
        spend.advance(NOON + timedelta(hours=hour), counts)
    assert spend.hours() == pytest.approx(5.5)
    assert spend.hours(NOON + timedelta(hours=10.5)) == pytest.approx(1.0)


def test_no_time_is_lost_or_doubled_between_touching_spans() -> None:
    spans = [(NOON, NOON + timedelta(1)), (NOON + timedelta(1), NOON + timedelta(2))]
    assert merge_spans(reversed(spans)) == [(NOON, NOON + timedelta(2))]


def test_a_session_whose_cost_was_lost_counts_with_its_cap_if_it_used_any_token() -> None:
    assert session_record(cost_usd=None, end_reason=EndReason.LOST).charged_usd == 0
    assert session_record(cost_usd=None, end_reason=EndReason.LOST, usage=Usage(input=5)).charged_usd == Caps().usd
    assert Spend([session_record(), session_record(cost_usd=None, usage=Usage(cache_read=1))]).usd == 1 + Caps().usd


def test_a_session_that_can_not_be_read_is_named_and_the_others_count(
    campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    for name, body in (("a", b"{"), ("b", session_record().canonical())):
        (campaign.folder / "sessions" / name).mkdir()
        (campaign.folder / "sessions" / name / "session.json").write_bytes(body)
    assert settle_sessions(campaign) == [session_record()]
    [warning] = caplog.messages
    assert "sessions/a/session.json is not a session record" in warning
    assert warning.endswith("its USD and hours are not counted")


def test_a_command_prints_warnings_beside_its_json_and_without_credentials(campaign: Campaign) -> None:
    (campaign.folder / "sessions" / "my-own-key").mkdir()
    (campaign.folder / "sessions" / "my-own-key" / "session.json").write_bytes(b"{")
    argv = ["run", str(campaign.folder), "--model", "standin", "--dry-run", "--json"]
    result = CliRunner().invoke(main, argv, env={"MODEL_KEY": "my-own-key"})
    assert result.exit_code == 0
    assert json.loads(result.stdout)["usd_spent"] == 0
    assert "sessions/[redacted]/session.json is not a session record" in result.stderr
    assert "my-own-key" not in result.output


def test_waiting_grows_with_failures_in_a_row_and_ends_with_success() -> None:
    delay, failed = Delay(), session_record(end_reason=EndReason.API_ERROR, api_status=529)
    waits: list[float] = []
    for _ in range(4):
        delay.extend(failed)
        waits.append(delay.wait_s)
        delay.ready_at = 0.0
    assert all(2**n * 0.45 < wait < 2**n * 1.5 for n, wait in enumerate(waits, start=1))
    delay.reset()
    assert delay.failures == 0


def test_failures_of_one_moment_count_once_and_a_named_moment_is_waited_for() -> None:
    delay = Delay()
    limited = session_record(end_reason=EndReason.API_ERROR, api_status=429, retry_at=now() + timedelta(minutes=5))
    for _ in range(10):
        delay.extend(limited)
    assert delay.failures == 1
    assert 290 < delay.wait_s <= 300


@pytest.mark.parametrize(("status", "transient"), [(429, True), (529, True), (None, True), (401, False), (400, False)])
def test_only_errors_that_time_may_heal_are_transient(status: int | None, transient: bool) -> None:
    assert session_record(end_reason=EndReason.API_ERROR, api_status=status).transient is transient


def test_a_dry_run_prints_what_it_would_take_and_starts_nothing(campaign: Campaign) -> None:
    arguments = ["run", str(campaign.folder), "--model", "big", "--trials", "8", "--usd", "12", "--dry-run"]
    printed = CliRunner().invoke(main, arguments)
    assert printed.exit_code == 0
    for text in ("8 to go", "4 if each uses its submits", "s a trial that gains nothing", "12.00 USD at worst", "48 h"):
        assert text in printed.output
    forecast = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert (forecast["trials_to_go"], forecast["sessions"], forecast["usd_worst"], forecast["slots"]) == (8, 4, 12.0, 1)
    assert 0 < forecast["seconds_per_trial"] < 60
    assert list((campaign.folder / "sessions").iterdir()) == []
    assert not (campaign.folder / "run").exists()


def notify(command: str, *events: str, timeout_s: float = 20.0) -> None:
    """Notify of each event by a command, and wait until all of them have ended."""

    async def send() -> None:
        notifier = Notifier(command, {"PATH": "/usr/bin:/bin"}, timeout_s)
        for event in events:
            notifier(event, trial="0007", nothing=None)
        await notifier.close()

    asyncio.run(send())


def test_a_notification_gets_its_facts_as_variables_and_no_shell(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "a script.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $(env | grep -c ESPALIER_) $ESPALIER_EVENT" >> {tmp_path}/sent\n', "utf-8")
    script.chmod(0o700)
    notify(f"'{script}' '$HOME;'", "keep", "end")
    assert caplog.messages == []
    assert (tmp_path / "sent").read_text("utf-8") == "$HOME; 2 keep\n$HOME; 2 end\n"


def test_a_notification_that_fails_or_hangs_is_a_warning_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    notify("false", "end")
    notify("sleep 60", "end", timeout_s=0.2)
    assert caplog.messages == ["--notify: false exits 1 on end", "--notify: sleep takes more than 0.2 s and is killed"]
    assert {record.name for record in caplog.records} == {"espalier.run"}


@pytest.mark.parametrize("command", ["no-such-program-here --now", "unclosed 'quote", " "])
def test_a_notification_that_can_never_run_is_refused_at_the_start(command: str) -> None:
    with pytest.raises(CampaignError, match="--notify"):
        Notifier(command, {"PATH": "/usr/bin:/bin"})
