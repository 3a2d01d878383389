"""A session that can't begin, or can't leave its report, ends by itself: the run and its other sessions go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_client.session.claude_options import Access, SessionFolder
from agent_client.session.session import Session
from lineage_repo.model.ledger import Caps
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions
from lineage_repo.record.campaign import Campaign
from tests.conftest import crowd_task


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """A fresh campaign whose task has its knowledge in a folder of its own."""
    return Campaign.create(tmp_path / "campaign", crowd_task(tmp_path / "task", 1))


def held(
    campaign: Campaign, before: Callable[[SessionFolder], None] = lambda _: None
) -> tuple[SessionRecord, SessionFolder]:
    """A session to its end, after something was done to its folder."""

    async def hold() -> tuple[SessionRecord, SessionFolder]:
        session = Session(campaign, Access(model={}, server={}), "role0", "m", Caps())
        before(session.place)
        return await session.run(), session.place

    return asyncio.run(hold())


def test_knowledge_that_can_not_be_rendered_ends_its_session_with_a_report(campaign: Campaign) -> None:
    (campaign.task_folder.path / "knowledge" / "brief.md").write_text("$nobody sets this", "utf-8")
    report, place = held(campaign)
    assert report.end_reason is EndReason.CRASH
    assert "brief.md names the variable 'nobody'" in str(report.error)
    assert list(read_sessions(campaign.folder)) == [report]
    assert not place.home.exists()


def test_a_session_that_can_make_no_folder_ends_as_a_crash(campaign: Campaign) -> None:
    (campaign.folder / "sessions").rmdir()
    (campaign.folder / "sessions").write_text("no folder", "utf-8")
    report, _ = held(campaign)
    assert report.end_reason is EndReason.CRASH
    assert "sessions" in str(report.error)


def test_a_report_that_can_not_be_written_is_logged_and_raises_nothing(campaign: Campaign) -> None:
    report, place = held(campaign, lambda place: place.record.mkdir(parents=True))
    assert report.end_reason is EndReason.CRASH
    assert "does not say how the session ended" in place.log.read_text("utf-8")
