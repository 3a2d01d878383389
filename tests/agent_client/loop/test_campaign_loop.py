"""The campaign loop in this process: how it ends before it starts a session."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_client.loop.campaign_loop import Run
from agent_client.loop.notify import Notifier
from agent_client.loop.plan import Plan
from agent_client.loop.state import RunSummary
from agent_client.session.claude_options import Access
from lineage_repo.errors import RecordError
from lineage_repo.monitor.control import Control
from lineage_repo.progress import progress_to
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks


def run(campaign: Campaign, notify: str | None = None, before: Callable[[], object] = bool) -> RunSummary:
    """Run a loop that has used all its hours, after something has happened."""
    plan = Plan(models={"opt": "m"}, hours=1e-9, concurrency=1)

    async def run_loop() -> RunSummary:
        loop = Run(campaign, Access(model={}, server={}), plan, Notifier(notify, {"PATH": "/usr/bin:/bin"}))
        before()
        return await loop.run()

    return asyncio.run(run_loop())


def test_a_stop_that_comes_before_the_first_look_is_heard(campaign: Campaign) -> None:
    control = Control(campaign.folder)
    lock = control.claim()
    control.stop()
    lines: list[str] = []
    with progress_to(lines.append):
        summary = run(campaign)
    locks.release(lock)
    assert (summary.reason, summary.sessions) == ("stopped", 0)
    assert [line.partition(":")[0] for line in lines] == ["stopping"]


def test_a_run_that_crashes_notifies_the_operator(campaign: Campaign, tmp_path: Path) -> None:
    script = tmp_path / "notify.sh"
    script.write_text(
        f'#!/bin/sh\necho "$ESPALIER_EVENT $ESPALIER_REASON $ESPALIER_TEXT" >> {tmp_path}/events\n', "utf-8"
    )
    script.chmod(0o700)
    lock = Control(campaign.folder).claim()
    ledger = campaign.paths.ledger_ref
    with pytest.raises(RecordError):
        run(campaign, str(script), lambda: ledger.write_text("no commit", "utf-8"))
    locks.release(lock)
    assert (tmp_path / "events").read_text("utf-8").startswith("end crash RecordError: ")
    state = Control(campaign.folder).read()
    assert state
    assert state.reason == "crash"
