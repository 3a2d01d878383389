"""The campaign loop: sessions of the specialists side by side until a goal or a cap is reached.

The loop stores nothing of its own. Progress is read from the lineage and costs from the session records, so the same
command resumes a loop that was killed.
"""

import asyncio
import os
import time

from agent_client.loop import news
from agent_client.loop.backoff import Backoff
from agent_client.loop.budget import Budget, longest_trial_s
from agent_client.loop.notify import Notifier
from agent_client.loop.plan import Ending, Plan, RunEnd
from agent_client.loop.replication import LastReplication
from agent_client.loop.sessions import Sessions
from agent_client.loop.state import EndedSession, Heartbeat, LiveSession, RunState, RunSummary
from agent_client.session.claude_options import Access, Assignment
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Status, now
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.monitor import health
from lineage_repo.monitor.control import Control
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.claims import Claims
from lineage_repo.record.cost import find_smallest_gain

POLL_S = 1.0
STARTING = max(2, os.cpu_count() or 2)
"""Sessions that may start up at once: more would only wait for each other."""
_SHOWN = 8
"""How many ended sessions `run/state.json` lists."""


class Run:
    """One run of the loop over a calibrated campaign; it needs a running event loop and may be run once.

    Call `stop` once to interrupt the sessions, twice to cut them off. Trials are not cancelled in either case: their
    runners continue and record them. What a watcher should see goes through `report_progress`, warnings to the logger
    `espalier.run`, events to `notify`.

    The caller has claimed the campaign (`Control.claim`), so only one loop works on it.
    """

    def __init__(self, campaign: Campaign, access: Access, plan: Plan, notify: Notifier) -> None:
        self.campaign, self.plan, self.notify = campaign, plan, notify
        self.began = now()
        self._control = Control(campaign.folder)
        self._redact = access.redact
        self._closing: Ending | None = None
        self._cut = False
        self._main: asyncio.Task[object] | None = None
        self._ended: list[SessionRecord] = []
        self._news = news.News(campaign.lineage.refresh())
        self._news_at = time.monotonic()
        self._sessions = Sessions(campaign, access)
        self._backoff = Backoff(plan.models)
        self._budget = Budget(campaign, plan, self._sessions)
        self._replication = LastReplication(campaign, access)
        self._heartbeat = Heartbeat(campaign, access.redact, notify)
        self._paused = False

    async def run(self) -> RunSummary:
        """Run sessions until the goal or a cap is reached, no specialist gets further, or `stop` is called.

        Returns:
            The summary, its `reason` one of `RunEnd` except `crash`.

        Raises:
            asyncio.CancelledError: cancelled from outside; sessions are cut off and the end is written first.
            Exception: an error in our own code; it is recorded as `crash` and the operator is notified first.
        """
        self._main = asyncio.current_task()
        try:
            self._beat()
            summary = await self._run_until_ending()
        except asyncio.CancelledError:
            if not self._cut:
                self._heartbeat.write_end(self._state(), Ending(RunEnd.STOPPED, "cancelled"))
                raise
            await self._cut_off()
            summary = self._summarize(Ending(RunEnd.STOPPED, "cut off"))
        except BaseException as error:
            await self._cut_off()
            await self._announce(Ending(RunEnd.CRASH, f"{type(error).__name__}: {error}"))
            raise
        finally:
            await self._cut_off()
        self._heartbeat.beat(self._state(), changed=True)
        anchor = None if summary.anchor is None else f"{summary.anchor:04d}"
        gain = summary.anchor_gain and self.campaign.task.objective.gain_text(summary.anchor_gain)
        await self._announce(Ending(summary.reason, summary.detail), proven=anchor, gain=gain)
        return summary

    def stop(self) -> None:
        """Start no more sessions and interrupt those that run; the second call cuts them off."""
        if self._closing and self._closing.reason is RunEnd.STOPPED and self._main:
            self._cut = True
            self._main.cancel()
            return
        report_progress(
            "stopping: sessions end now; running trials continue and are recorded; the same command resumes"
        )
        self._close(Ending(RunEnd.STOPPED, ""), EndReason.INTERRUPTED)

    async def _run_until_ending(self) -> RunSummary:
        while True:
            self._read_news()
            self._collect_sessions()
            self._check_caps()
            if not self._sessions and (ending := self._find_ending()):
                waits = self._running() and ending.reason is not RunEnd.UNRECORDED
                if ending.reason is RunEnd.STOPPED or (not waits and self._replication.is_done):
                    return self._summarize(ending)
                self._close(ending, EndReason.CAMPAIGN)
            self._start_sessions()
            self._beat()
            await self._sessions.wait(POLL_S)

    def _read_news(self) -> None:
        """Read what the record and the operator's commands say since the last look."""
        self.campaign.recover()
        entries = self._news.report()
        if entries or any(health.is_queued(self.campaign.paths.trial(number).folder) for number in self._running()):
            self._news_at = time.monotonic()
        for entry in entries:
            if isinstance(entry, Trial) and entry.status is Status.KEEP:
                self._notify_keep(entry)
        if self._control.take_stop():
            self.stop()
        if self._paused != self._control.paused:
            self._paused = not self._paused
            paused = f"paused: `espalier resume {self.campaign.folder}` continues"
            report_progress(paused if self._paused else "resumed")
        self._budget.spend.advance(now(), counts=not self._paused or bool(self._sessions))

    def _notify_keep(self, trial: Trial) -> None:
        title, objective = trial.proposal.title, self.campaign.task.objective
        self.notify(
            "keep", trial=f"{trial.number:04d}", score=trial.score, unit=objective.unit, title=title,
            specialist=trial.proposal.specialist,
            gain=objective.gain_text(trial.verdict.gain) if trial.verdict.gain else None,
        )  # fmt: skip

    async def _announce(self, ending: Ending, **facts: object) -> None:
        """Notify the operator of the end, and write it to `run/state.json`."""
        self.notify("end", reason=ending.reason, text=self._redact(ending.detail), **facts)
        try:
            self._heartbeat.write_end(self._state(), ending)
        finally:
            await self.notify.close()

    # ---- when it ends

    def _close(self, ending: Ending, reason: EndReason) -> None:
        self._closing = ending
        self._sessions.stop(reason)

    def _check_caps(self) -> None:
        """Close the run if a cap of the campaign is reached; the goal and a stop come first."""
        if not self._closing and (ending := self._budget.find_ending()):
            self._close(ending, EndReason.CAMPAIGN)

    def _find_ending(self) -> Ending | None:
        """Decide, while no session runs, whether the run is over."""
        running = self._running()
        numbers = ", ".join(f"{number:04d}" for number in running)
        if self._closing and self._closing.reason is RunEnd.STOPPED:
            detail = f"still running, recorded when they end: {numbers}" if numbers else "no trial is running"
            return Ending(RunEnd.STOPPED, detail)
        if not self._closing and self._budget.trials > 0:
            return self._backoff.find_ending()
        if not running:
            return self._closing or Ending(RunEnd.GOAL, f"{self.plan.trials} trials are recorded")
        if time.monotonic() - self._news_at > longest_trial_s(self.campaign.task) * len(running):
            detail = f"no outcome of {numbers} in the time that the limits allow: see `espalier logs`"
            return Ending(RunEnd.UNRECORDED, detail)
        return None

    def _running(self) -> list[int]:
        return [started.number for started in self.campaign.lineage.running()]

    # ---- sessions

    def _start_sessions(self) -> None:
        """Start sessions while there is room; specialists with the fewest trials come first."""
        while self._may_start():
            ready = [name for name in self._backoff.ready if name not in self._sessions]
            room = min(len(ready), self.plan.concurrency - len(self._sessions))
            if room < 1:
                return
            name = min(ready, key=self._count_trials)
            caps, plan = self._budget.caps(name, room), self.plan
            assignment = Assignment(specialist=name, model=plan.models[name], caps=caps, extras=plan.extras)
            session = self._sessions.begin(assignment)
            news.report_session_start(session.id, caps.submits)

    def _may_start(self) -> bool:
        blocked = self._closing or self._paused or self._backoff.blocked
        return not blocked and self._sessions.starting < STARTING and self._budget.allows_session

    def _count_trials(self, specialist: str) -> int:
        return sum(s.proposal.specialist == specialist for n, s in self.campaign.lineage.registered.items() if n > 0)

    def _collect_sessions(self) -> None:
        """Take in the sessions that ended; an error in our own code is raised."""
        ended = self._sessions.take_ended()
        for session in ended:
            self._ended.append(session)
            self._budget.spend.add(session)
            news.report_session_end(session)
            self._backoff.take(session)
        if ended:  # the trials that they registered last came after `_read_news`
            self._read_news()

    async def _cut_off(self) -> None:
        await self._replication.close()
        for session in await self._sessions.cut_off():
            self._ended.append(session)
            self._budget.spend.add(session)

    # ---- what it says

    def _beat(self) -> None:
        self._heartbeat.beat(self._state(), changed=self._sessions.changed.is_set())

    def _summarize(self, ending: Ending) -> RunSummary:
        lineage = self.campaign.lineage.refresh()
        head, anchor, baseline, claims = lineage.head, lineage.anchor, lineage.trials.get(0), Claims(lineage)
        return RunSummary(
            reason=ending.reason,
            detail=ending.detail,
            trials=self._budget.registered,
            recorded=sum(number > 0 for number in lineage.trials),
            sessions=len(self._ended) + len(self._sessions),
            baseline=baseline.score if baseline else None,
            head=head.number if head else None,
            head_gain=claims.of(head.number).gain if head else None,
            anchor=anchor.number if anchor else None,
            anchor_gain=claims.of(anchor.number).gain if anchor else None,
            anchor_steps=claims.of(anchor.number).steps if anchor else 0,
            smallest_gain=find_smallest_gain(lineage),
            cost_usd=sum(session.charged_usd for session in self._ended),
            campaign_usd=self._budget.spend.usd,
            campaign_hours=self._budget.spend.hours(),
        )

    def _state(self) -> RunState:
        return RunState(
            pid=os.getpid(),
            began=self.began,
            at=now(),
            plan=self.plan,
            usd=self._budget.spend.usd,
            hours=self._budget.spend.hours(),
            hours_since_keep=self._budget.hours_since_keep,
            longest_trial_s=longest_trial_s(self.campaign.task),
            live=tuple(LiveSession.of(session) for session in self._sessions.live),
            waiting=self._backoff.waiting(self._sessions),
            ended=tuple(EndedSession.of(session) for session in self._ended[-_SHOWN:]),
        )
