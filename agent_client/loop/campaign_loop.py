"""The campaign loop: sessions of the specialists side by side until a goal or a cap is reached.

It holds no state of its own. What is done is read from the lineage, what it cost from the session reports, so a loop
that was killed goes on where it was.
"""

import asyncio
import os
import time

from agent_client.loop.backoff import Backoff
from agent_client.loop.budget import Budget
from agent_client.loop.heartbeat import Heartbeat, ended_session, live_session
from agent_client.loop.notify import Notifier
from agent_client.loop.plan import Plan
from agent_client.loop.progress import Progress, Say
from agent_client.loop.sessions import Sessions
from agent_client.loop.spend import Spend, settle
from agent_client.loop.state import RunEnd, RunState, RunSummary
from agent_client.session.claude_options import Access
from lineage_repo.model.ledger import Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Status, now
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.monitor import health
from lineage_repo.monitor.control import Control
from lineage_repo.record.campaign import Campaign

POLL_S = 1.0
STARTING = max(2, os.cpu_count() or 2)
"""Sessions that may start up at once: more would only wait for each other."""
_TOLD = 8


class Run:
    """One run of the loop; `stop` it once to end its sessions, twice to cut them off."""

    def __init__(self, campaign: Campaign, access: Access, plan: Plan, say: Say, notify: Notifier) -> None:
        self.campaign, self.access, self.plan, self.say, self.notify = campaign, access, plan, say, notify
        self.began = now()
        self._control = Control(campaign.folder)
        self._closing: tuple[RunEnd, str] | None = None
        self._cut = False
        self._main: asyncio.Task[object] | None = None
        self._wake = asyncio.Event()
        self._crew = Sessions(campaign, access, plan, self._wake.set)
        self._reports: list[SessionRecord] = []
        self._patience = Backoff(plan.models, say)
        self._progress = Progress(campaign.lineage.refresh(), say)
        self._spend = Spend(settle(campaign, say))
        self._allowance = Budget(campaign, plan, self._spend, self._crew)
        self._heart = Heartbeat(campaign, access.redact, say, notify)
        self._news_at = time.monotonic()
        self._paused = False

    async def run(self) -> RunSummary:
        """Hold sessions until the goal or a cap is reached, nobody gets further, or somebody says stop."""
        self._main = asyncio.current_task()
        try:
            self._heart.beat(self._state, changed=self._wake.is_set())
            report = await self._until_over()
        except asyncio.CancelledError:
            if not self._cut:
                self._heart.end(self._state, RunEnd.STOPPED, "cancelled")
                raise
            await self._cut_off()
            report = self._report(RunEnd.STOPPED, "cut off")
        except BaseException as error:
            await self._cut_off()
            await self._tell_end(RunEnd.CRASH, f"{type(error).__name__}: {error}")
            raise
        finally:
            await self._cut_off()
        self._heart.beat(self._state, changed=True)
        best = None if report.best_trial is None else f"{report.best_trial:04d}"
        await self._tell_end(report.reason, report.detail, best_trial=best, best=report.best)
        return report

    def stop(self) -> None:
        """Start no more sessions and interrupt those that run; the second call cuts them off."""
        if self._closing and self._closing[0] is RunEnd.STOPPED and self._main:
            self._cut = True
            self._main.cancel()
            return
        self.say("stopping: sessions end now; trials that run go on and are recorded, the same command resumes")
        self._close(RunEnd.STOPPED, "", EndReason.INTERRUPTED)

    async def _until_over(self) -> RunSummary:
        while True:
            self._look()
            self._collect()
            self._check_caps()
            if not self._crew and (over := self._over()):
                return self._report(*over)
            self._launch()
            self._heart.beat(self._state, changed=self._wake.is_set())
            self._wake.clear()
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _look(self) -> None:
        self.campaign.recover()
        news = self._progress.tell()
        if news or any(health.is_queued(self.campaign.paths.trial(number).folder) for number in self._running()):
            self._news_at = time.monotonic()
        for trial in news:
            if isinstance(trial, Trial) and trial.status is Status.KEEP:
                self._tell_keep(trial)
        if self._control.take_stop():
            self.stop()
        if self._paused != self._control.paused:
            self._paused = not self._paused
            folder = self.campaign.folder
            self.say(f"paused: `espalier resume {folder}` goes on" if self._paused else "resumed")
        self._spend.tick(now(), counts=not self._paused or bool(self._crew))

    def _tell_keep(self, trial: Trial) -> None:
        title, objective = trial.proposal.title, self.campaign.task.objective
        self.notify(
            "keep", trial=f"{trial.number:04d}", score=trial.score, unit=objective.unit, title=title,
            specialist=trial.proposal.specialist, delta=trial.verdict.delta_vs_best,
        )  # fmt: skip

    async def _tell_end(self, reason: RunEnd, detail: str, **facts: object) -> None:
        self.notify("end", reason=reason, text=self.access.redact(detail), **facts)
        try:
            self._heart.end(self._state, reason, detail)
        finally:
            await self.notify.close()

    # ---- when it is over

    def _close(self, reason: RunEnd, detail: str, sessions: EndReason) -> None:
        self._closing = (reason, detail)
        self._crew.stop(sessions)
        self._wake.set()

    def _check_caps(self) -> None:
        """Close where a cap of the campaign is reached; the goal and a stop come first."""
        if not self._closing and (reached := self._allowance.reached()):
            self._close(*reached, EndReason.CAMPAIGN)

    def _over(self) -> tuple[RunEnd, str] | None:
        running = self._running()
        going = ", ".join(f"{number:04d}" for number in running)
        if self._closing and self._closing[0] is RunEnd.STOPPED:
            return RunEnd.STOPPED, f"still running, recorded when they end: {going}" if going else (
                "no trial is running"
            )
        if not self._closing and self._allowance.trials > 0:
            return self._patience.stuck()
        if not running:
            return self._closing or (RunEnd.GOAL, f"{self.plan.trials} trials are recorded")
        if time.monotonic() - self._news_at > longest_trial_s(self.campaign.task) * len(running):
            return (
                RunEnd.UNRECORDED,
                f"no outcome of {going} in the time that the limits allow: see `espalier logs`",
            )
        return None

    def _running(self) -> list[int]:
        return [started.number for started in self.campaign.lineage.running()]

    # ---- sessions

    def _launch(self) -> None:
        """Start sessions where there is room, those with the fewest trials first."""
        while self._may_launch():
            ready = [name for name in self._patience.ready if name not in self._crew]
            room = min(len(ready), self.plan.concurrency - len(self._crew))
            if room < 1:
                return
            name = min(ready, key=self._trials_of)
            session = self._crew.begin(name, self._allowance.caps(name, room))
            self._progress.session_started(session.id, session.caps.submits)

    def _may_launch(self) -> bool:
        blocked = self._closing or self._paused or self._patience.blocked
        return not blocked and self._crew.starting < STARTING and self._allowance.enough

    def _trials_of(self, name: str) -> int:
        return sum(s.proposal.specialist == name for n, s in self.campaign.lineage.registered.items() if n > 0)

    def _collect(self) -> None:
        """Take in the sessions that ended; an error in our own code is raised."""
        ended = self._crew.take_ended()
        for report in ended:
            self._reports.append(report)
            self._spend.add(report)
            self._progress.session_ended(report)
            self._patience.judge(report)
        if ended:  # what they registered last came after the look
            self._look()

    async def _cut_off(self) -> None:
        for report in await self._crew.cut_off():
            self._reports.append(report)
            self._spend.add(report)

    # ---- what it says

    def _report(self, reason: RunEnd, detail: str) -> RunSummary:
        lineage = self.campaign.lineage.refresh()
        best, baseline = lineage.best, lineage.trials.get(0)
        return RunSummary(
            reason=reason,
            detail=detail,
            trials=self._allowance.registered,
            recorded=sum(number > 0 for number in lineage.trials),
            sessions=len(self._reports) + len(self._crew),
            baseline=baseline.score if baseline else None,
            best=best.score if best else None,
            best_trial=best.number if best else None,
            cost_usd=sum(report.charged_usd for report in self._reports),
            campaign_usd=self._spend.usd,
            campaign_hours=self._spend.hours(),
        )

    def _state(self) -> RunState:
        return RunState(
            pid=os.getpid(),
            began=self.began,
            at=now(),
            plan=self.plan,
            usd=self._spend.usd,
            hours=self._spend.hours(),
            hours_since_keep=self._allowance.hours_since_keep,
            longest_trial_s=longest_trial_s(self.campaign.task),
            live=tuple(live_session(session) for session in self._crew.sessions),
            waiting=self._patience.waiting(self._crew),
            ended=tuple(ended_session(report) for report in self._reports[-_TOLD:]),
        )


def longest_trial_s(task: Task) -> float:
    """More seconds than one trial can take alone on an idle host, a second attempt included.

    On a busy host one on the CPU clock may take more: its boxes have triple the time by the wall.
    """
    boxes = sum((p.limit_s + (p.ready_s or 60.0)) * (task.n_seeds if p.per == "seed" else 1) for p in task.phases)
    return 2 * (boxes + 2 * task.evaluator.limit_s * task.n_seeds) + 600
