"""Spend: USD and hours of a campaign, counted over all its runs from the session reports on disk."""

import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from agent_client.loop.progress import Say
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole

Span = tuple[datetime, datetime]


class Spend:
    """What earlier sessions used, plus what this run adds.

    Earlier time is the union of the sessions' times; in this run all time counts but pauses.
    """

    def __init__(self, reports: Iterable[SessionRecord]) -> None:
        before = list(reports)
        self.usd = sum(report.charged_usd for report in before)
        self._spans = union((report.started, report.ended) for report in before)
        self._open = False

    def add(self, report: SessionRecord) -> None:
        """A session of this run ended; its time is counted by `tick`."""
        self.usd += report.charged_usd

    def tick(self, at: datetime, counts: bool) -> None:
        """Time went on to `at`; whether it counts from here."""
        if self._open:
            self._spans[-1] = (self._spans[-1][0], at)
        if counts and not self._open:
            self._spans.append((at, at))
        self._open = counts

    def hours(self, since: datetime | None = None) -> float:
        """Hours that count, all or those after a moment."""
        spans = ((max(a, since) if since else a, b) for a, b in self._spans)
        return sum(max(0.0, (b - a).total_seconds()) for a, b in spans) / 3600


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that do not overlap."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def known(folder: Path, say: Say) -> Iterator[SessionRecord]:
    """Every session that can be read; of one that can't it is said that its spend is not counted."""
    return read_sessions(folder, lambda error: say(f"{error}; its USD and hours are not counted"))


def settle(campaign: Campaign, say: Say) -> list[SessionRecord]:
    """Every session of earlier runs; one whose loop was killed gets its end."""
    found: list[SessionRecord] = []
    for report in known(campaign.folder, say):
        ended = report
        if report.end_reason is None:
            trials = tuple(n for n, s in campaign.lineage.registered.items() if s.proposal.session == report.session)
            ended = report.model_copy(update={"end_reason": EndReason.LOST, "trials": trials})
            folder = campaign.paths.session(report.session)
            shutil.rmtree(folder.home, ignore_errors=True)
            write_whole(folder.record, ended.canonical())
        found.append(ended)
    return found
