"""The campaign loop in this process: how it ends before it holds a session."""

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
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks


def run(campaign: Campaign, notify: str | None = None, before: Callable[[], object] = bool) -> RunSummary:
    """A run that has used all its hours; something happens just before."""
    plan = Plan(models={"opt": "m"}, hours=1e-9, concurrency=1)

    async def hold() -> RunSummary:
        notifier = Notifier(notify, {"PATH": "/usr/bin:/bin"}, print)
        job = Run(campaign, Access(model={}, server={}), plan, print, notifier)
        before()
        return await job.run()

    return asyncio.run(hold())


def test_a_stop_that_comes_before_the_first_look_is_heard(campaign: Campaign) -> None:
    control = Control(campaign.folder)
    held = control.claim()
    control.stop()
    report = run(campaign)
    locks.release(held)
    assert (report.reason, report.sessions) == ("stopped", 0)


def test_a_run_that_crashes_tells_the_operator(campaign: Campaign, tmp_path: Path) -> None:
    script = tmp_path / "tell.sh"
    script.write_text(
        f'#!/bin/sh\necho "$ESPALIER_EVENT $ESPALIER_REASON $ESPALIER_TEXT" >> {tmp_path}/told\n', "utf-8"
    )
    script.chmod(0o700)
    held = Control(campaign.folder).claim()
    ledger = campaign.paths.ledger_ref
    with pytest.raises(RecordError):
        run(campaign, str(script), lambda: ledger.write_text("no commit", "utf-8"))
    locks.release(held)
    assert (tmp_path / "told").read_text("utf-8").startswith("end crash RecordError: ")
    state = Control(campaign.folder).read()
    assert state
    assert state.reason == "crash"
