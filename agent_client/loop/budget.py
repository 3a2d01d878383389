"""Budget: what a campaign has used over all its runs, and what its caps leave for the next session."""

import logging
import math
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from agent_client.loop.plan import Ending, Plan, RunEnd
from agent_client.loop.sessions import Sessions
from lineage_repo.model.ledger import Caps
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Status
from lineage_repo.model.session import EndReason, SessionRecord, read_sessions
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from lineage_repo.verdict.judge import MAX_ROUNDS

LEAST_USD = 0.05
"""A session with less could not even begin."""
Span = tuple[datetime, datetime]
_log = logging.getLogger("espalier.run")


class Spend:
    """USD and hours of a campaign: what earlier sessions used, plus what this run adds.

    Earlier time is the union of the sessions' times; in this run all time counts except pauses.
    """

    def __init__(self, earlier: Iterable[SessionRecord]) -> None:
        sessions = list(earlier)
        self.usd = sum(session.charged_usd for session in sessions)
        self._spans = merge_spans((session.started, session.ended) for session in sessions)
        self._open = False

    def add(self, session: SessionRecord) -> None:
        """Add the USD of a session of this run; `advance` counts its time."""
        self.usd += session.charged_usd

    def advance(self, at: datetime, counts: bool) -> None:
        """Move the clock to `at`; `counts` says whether time counts from here on."""
        if self._open:
            self._spans[-1] = (self._spans[-1][0], at)
        if counts and not self._open:
            self._spans.append((at, at))
        self._open = counts

    def hours(self, since: datetime | None = None) -> float:
        """Hours that count, all of them or those after a moment."""
        spans = ((max(a, since) if since else a, b) for a, b in self._spans)
        return sum(max(0.0, (b - a).total_seconds()) for a, b in spans) / 3600


class Budget:
    """The caps of a plan, less what is used and what live sessions may still use.

    Nothing is stored: trials are counted from the lineage, USD and hours from the session records on disk.
    """

    def __init__(self, campaign: Campaign, plan: Plan, sessions: Sessions) -> None:
        self._campaign, self._plan, self._sessions = campaign, plan, sessions
        self.spend = Spend(settle_sessions(campaign))

    @property
    def registered(self) -> int:
        """Trials of the campaign, the baseline not counted."""
        return sum(number > 0 for number in self._campaign.lineage.registered)

    @property
    def trials(self) -> float:
        """Trials that are neither registered nor promised to a session; infinite without a goal."""
        return math.inf if self._plan.trials is None else self._plan.trials - self.registered - self._sessions.submits

    @property
    def usd(self) -> float:
        """USD that are neither spent nor promised to a session; infinite without a cap."""
        return math.inf if self._plan.usd is None else self._plan.usd - self.spend.usd - self._sessions.usd

    @property
    def hours_since_keep(self) -> float:
        keeps = [t.at for t in self._campaign.lineage.trials.values() if t.status is Status.KEEP]
        return self.spend.hours(keeps[-1] if keeps else None)

    @property
    def allows_session(self) -> bool:
        """Whether trials and USD are left for one more session."""
        return self.trials > 0 and self.usd >= LEAST_USD

    def find_ending(self) -> Ending | None:
        """The cap on hours or USD that is reached; None while there is none, or where only the goal is reached."""
        plan, hours = self._plan, self.spend.hours()
        if self.trials <= 0 and not self._sessions:
            return None
        if hours >= plan.hours:
            return Ending(RunEnd.HOURS, f"{hours:.2f} of {plan.hours:g} hours are used: continue with a larger --hours")
        if (since := self.hours_since_keep) >= plan.no_improvement_hours:
            detail = f"no keep for {since:.2f} hours: continue with a larger --no-improvement-hours"
            return Ending(RunEnd.NO_IMPROVEMENT, detail)
        if not self._sessions and self.usd < LEAST_USD:
            return Ending(
                RunEnd.USD, f"{self.spend.usd:.2f} of {plan.usd:g} USD are used: continue with a larger --usd"
            )
        return None

    def caps(self, specialist: str, share: int) -> Caps:
        """Return the caps of a specialist's next session, cut to one of `share` equal parts of what is left.

        So all sessions together stay within the caps of the campaign.
        """
        caps, trials = caps_of(self._campaign, specialist), self.trials
        submits = self._plan.submits or caps.submits
        minutes = (self._plan.hours - self.spend.hours()) * 60
        return caps.model_copy(
            update={
                "submits": submits if math.isinf(trials) else min(submits, math.ceil(trials / share)),
                "usd": min(caps.usd, max(self.usd / share, LEAST_USD)),
                "minutes": min(caps.minutes, max(minutes, 0.01)),
            }
        )


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Merge spans of time that overlap or touch."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def read_earlier_sessions(folder: Path) -> Iterator[SessionRecord]:
    """Yield every session record of a campaign folder; warn of one that can't be read, since its spend is unknown."""
    return read_sessions(folder, lambda error: _log.warning("%s; its USD and hours are not counted", error))


def settle_sessions(campaign: Campaign) -> list[SessionRecord]:
    """Return every session of earlier runs; record a session as lost if its loop was killed."""
    settled: list[SessionRecord] = []
    for session in read_earlier_sessions(campaign.folder):
        ended = session
        if session.end_reason is None:
            trials = tuple(n for n, s in campaign.lineage.registered.items() if s.proposal.session == session.session)
            ended = session.model_copy(update={"end_reason": EndReason.LOST, "trials": trials})
            paths = campaign.paths.session(session.session)
            shutil.rmtree(paths.home, ignore_errors=True)
            write_whole(paths.record, ended.canonical())
        settled.append(ended)
    return settled


def longest_trial_s(task: Task) -> float:
    """Compute more seconds than one trial can take alone on an idle host, a second attempt included.

    On a busy host one on the CPU clock may take more: its boxes have triple the time by the wall.
    """
    rule = task.judge
    most = task.n_seeds if rule.rule == "any" else rule.screen_seeds + 1 + 2 * rule.blocks * MAX_ROUNDS
    boxes = sum(p.limit_s + (p.ready_s or 60.0) for p in task.phases)
    return 2 * most * (boxes + 2 * task.evaluator.limit_s) + 600
