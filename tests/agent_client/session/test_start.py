"""A session that can't begin, or can't write its record, ends by itself: the run and its other sessions go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_client.session.claude_options import Access, Assignment, SessionFolder
from agent_client.session.session import Session
from lineage_repo.model.ledger import Caps
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions
from lineage_repo.record.campaign import Campaign
from tests.conftest import crowd_task


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """A fresh campaign whose task has its own knowledge folder."""
    return Campaign.create(tmp_path / "campaign", crowd_task(tmp_path / "task", 1))


def run_session(
    campaign: Campaign, before: Callable[[SessionFolder], None] = lambda _: None
) -> tuple[SessionRecord, SessionFolder]:
    """Run a session to its end, after something was done to its folder."""

    async def run() -> tuple[SessionRecord, SessionFolder]:
        assignment = Assignment(specialist="role0", model="m", caps=Caps())
        session = Session(campaign, Access(model={}, server={}), assignment)
        before(session.folder)
        return await session.run(), session.folder

    return asyncio.run(run())


def test_knowledge_that_can_not_be_rendered_ends_its_session_with_a_record(campaign: Campaign) -> None:
    (campaign.task_folder.path / "knowledge" / "brief.md").write_text("$nobody sets this", "utf-8")
    record, folder = run_session(campaign)
    assert record.end_reason is EndReason.CRASH
    assert "brief.md names the variable 'nobody'" in str(record.error)
    assert list(read_sessions(campaign.folder)) == [record]
    assert not folder.home.exists()


def test_a_session_that_can_not_make_its_folder_ends_as_a_crash(campaign: Campaign) -> None:
    (campaign.folder / "sessions").rmdir()
    (campaign.folder / "sessions").write_text("no folder", "utf-8")
    record, _ = run_session(campaign)
    assert record.end_reason is EndReason.CRASH
    assert "sessions" in str(record.error)


def test_a_record_that_can_not_be_written_is_logged_and_raises_nothing(campaign: Campaign) -> None:
    record, folder = run_session(campaign, lambda folder: folder.record.mkdir(parents=True))
    assert record.end_reason is EndReason.CRASH
    assert "does not say how the session ended" in folder.log.read_text("utf-8")
