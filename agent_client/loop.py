"""The campaign loop: sessions of the specialists side by side until a goal or a cap is reached.

It holds no state of its own. What is done is read from the lineage, what it cost from the session reports, so a loop
that was killed goes on where it was.
"""

import asyncio
import math
import os
import time
from datetime import timedelta

from agent_client.heartbeat import Heartbeat, ended_session, live_session
from agent_client.notify import Notifier
from agent_client.options import Access
from agent_client.pace import FRUITLESS, PATIENCE, Pace
from agent_client.plan import Plan
from agent_client.progress import Progress, Say
from agent_client.prompt import caps_of
from agent_client.report import RunReason, RunReport, RunState, Waiting
from agent_client.session import Session
from agent_client.spend import Spend, settled
from lineage_repo.campaign import Campaign
from lineage_repo.control import Control
from lineage_repo.manifest import Task
from lineage_repo.records import Caps, Status, Trial, now
from lineage_repo.sessions import EndReason, SessionReport

POLL_S = 1.0
LEAST_USD = 0.05
"""A session with less could not even begin."""
STARTING = max(2, os.cpu_count() or 2)
"""Sessions that may start up at once: more would only wait for each other."""
_TOLD = 8


class Run:
    """One run of the loop; `stop` it once to end its sessions, twice to cut them off."""

    def __init__(self, campaign: Campaign, access: Access, plan: Plan, say: Say, notify: Notifier) -> None:
        self.campaign, self.access, self.plan, self.say, self.notify = campaign, access, plan, say, notify
        self.began = now()
        self._control = Control(campaign.folder)
        self._closing: tuple[RunReason, str] | None = None
        self._cut = False
        self._main: asyncio.Task[object] | None = None
        self._wake = asyncio.Event()
        self._live: dict[str, tuple[Session, asyncio.Task[SessionReport]]] = {}
        self._reports: list[SessionReport] = []
        self._paces = {name: Pace() for name in plan.models}
        self._endpoint = Pace()
        self._progress = Progress(campaign.lineage.refresh(), say)
        self._spend = Spend(settled(campaign))
        self._heart = Heartbeat(campaign, access.redact, say, notify)
        self._news_at = time.monotonic()
        self._paused = False

    async def run(self) -> RunReport:
        """Hold sessions until the goal or a cap is reached, nobody gets further, or somebody says stop."""
        self._main = asyncio.current_task()
        self._control.take_stop()  # meant for an earlier run
        self._heart.beat(self._state, changed=self._wake.is_set())
        try:
            report = await self._until_over()
        except asyncio.CancelledError:
            if not self._cut:
                self._heart.end(self._state, RunReason.STOPPED, "cancelled")
                raise
            await self._cut_off()
            report = self._report(RunReason.STOPPED, "cut off")
        except BaseException as error:
            await self._cut_off()
            self._heart.end(self._state, RunReason.CRASH, f"{type(error).__name__}: {error}")
            raise
        finally:
            await self._cut_off()
        self._heart.beat(self._state, changed=True)
        self._heart.end(self._state, report.reason, report.detail)
        best = None if report.best_trial is None else f"{report.best_trial:04d}"
        self.notify("end", reason=report.reason, text=report.detail, best_trial=best, best=report.best)
        await self.notify.close()
        return report

    def stop(self) -> None:
        """Start no more sessions and interrupt those that run; the second call cuts them off."""
        if self._closing and self._closing[0] is RunReason.STOPPED and self._main:
            self._cut = True
            self._main.cancel()
            return
        self.say("stopping: sessions end now; trials that run go on and are recorded, the same command resumes")
        self._close(RunReason.STOPPED, "", EndReason.INTERRUPTED)

    async def _until_over(self) -> RunReport:
        while True:
            self._look()
            self._collect()
            self._check_caps()
            if not self._live and (over := self._over()):
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
        if news:
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
        self._spend.tick(now(), counts=not self._paused or bool(self._live))

    def _tell_keep(self, trial: Trial) -> None:
        title, objective = trial.proposal.title, self.campaign.task.objective
        self.notify(
            "keep", trial=f"{trial.number:04d}", score=trial.score, unit=objective.unit, title=title,
            specialist=trial.proposal.specialist, delta=trial.outcome.delta_vs_best,
        )  # fmt: skip

    # ---- when it is over

    def _close(self, reason: RunReason, detail: str, sessions: EndReason) -> None:
        self._closing = (reason, detail)
        for session, _ in self._live.values():
            session.stop(sessions)
        self._wake.set()

    def _since_keep(self) -> float:
        best = self.campaign.lineage.best
        return self._spend.hours(best.at if best and best.number else None)

    def _check_caps(self) -> None:
        """Close where a cap of the campaign is reached; the goal and a stop come first."""
        plan, hours = self.plan, self._spend.hours()
        if self._closing or (self._remaining() <= 0 and not self._live):
            return
        if hours >= plan.hours:
            detail = f"{hours:.2f} of {plan.hours:g} hours are used: a larger --hours goes on"
            self._close(RunReason.HOURS, detail, EndReason.CAMPAIGN)
        elif (since := self._since_keep()) >= plan.no_improvement_hours:
            detail = f"no keep for {since:.2f} hours: a larger --no-improvement-hours goes on"
            self._close(RunReason.NO_IMPROVEMENT, detail, EndReason.CAMPAIGN)
        elif not self._live and self._usd_left() < LEAST_USD:
            detail = f"{self._spend.usd:.2f} of {plan.usd:g} USD are used: a larger --usd goes on"
            self._close(RunReason.USD, detail, EndReason.CAMPAIGN)

    def _over(self) -> tuple[RunReason, str] | None:
        running = self._running()
        going = ", ".join(f"{number:04d}" for number in running)
        if self._closing and self._closing[0] is RunReason.STOPPED:
            return RunReason.STOPPED, f"still running, recorded when they end: {going}" if going else (
                "no trial is running"
            )
        if not self._closing and self._remaining() > 0:
            return self._stuck()
        if not running:
            return self._closing or (RunReason.GOAL, f"{self.plan.trials} trials are recorded")
        if time.monotonic() - self._news_at > longest_trial_s(self.campaign.task) * len(running):
            return (
                RunReason.UNRECORDED,
                f"no outcome of {going} in the time that the limits allow: see `espalier logs`",
            )
        return None

    def _stuck(self) -> tuple[RunReason, str] | None:
        if self._endpoint.failures >= PATIENCE and self._endpoint.last:
            return (
                RunReason.FAILING,
                f"{PATIENCE} rounds of errors of the endpoint; the last: {_words(self._endpoint.last)}",
            )
        if not self._exhausted():
            return None
        lasts = [pace.last for pace in self._paces.values() if pace.last]
        failed = [report for report in lasts if report.end_reason and report.end_reason.failed]
        what = "failed" if failed else "brought no trial"
        return (
            RunReason.FAILING if failed else RunReason.IDLE,
            f"{FRUITLESS} sessions in a row of every specialist {what}; the last: {_words((failed or lasts)[-1])}",
        )

    def _exhausted(self) -> bool:
        return all(pace.failures >= FRUITLESS for pace in self._paces.values())

    def _started(self) -> list[int]:
        return [number for number in self.campaign.lineage.started if number > 0]

    def _running(self) -> list[int]:
        return [started.number for started in self.campaign.lineage.running()]

    def _promised(self, name: str) -> int:
        """Submits that a live session of a specialist may still use."""
        session = self._live[name][0]
        return max(0, session.caps.submits - len(session.trials))

    def _remaining(self) -> float:
        """Trials that are neither registered nor promised to a session."""
        if self.plan.trials is None:
            return math.inf
        return self.plan.trials - len(self._started()) - sum(self._promised(name) for name in self._live)

    def _usd_left(self) -> float:
        """USD that are neither spent nor promised to a session."""
        if self.plan.usd is None:
            return math.inf
        return self.plan.usd - self._spend.usd - sum(session.caps.usd for session, _ in self._live.values())

    # ---- sessions

    def _launch(self) -> None:
        """Start sessions where there is room, those with the fewest trials first."""
        while self._may_launch():
            ready = [n for n, pace in self._paces.items() if n not in self._live and not pace.wait_s]
            room = min(len(ready), self.plan.concurrency - len(self._live))
            if room < 1:
                return
            name = min(ready, key=self._trials_of)
            self._begin(name, self._caps(name, room))

    def _may_launch(self) -> bool:
        starting = sum(not session.activity.begun for session, _ in self._live.values())
        blocked = self._closing or self._paused or self._endpoint.wait_s or self._exhausted()
        return not blocked and starting < STARTING and self._remaining() > 0 and self._usd_left() >= LEAST_USD

    def _caps(self, name: str, room: int) -> Caps:
        """The caps of a role's next session, so that all sessions together stay within those of the campaign."""
        caps, remaining = caps_of(self.campaign, name), self._remaining()
        submits = self.plan.submits or caps.submits
        minutes = (self.plan.hours - self._spend.hours()) * 60
        return caps.model_copy(
            update={
                "submits": submits if math.isinf(remaining) else min(submits, math.ceil(remaining / room)),
                "usd": min(caps.usd, max(self._usd_left() / room, LEAST_USD)),
                "minutes": min(caps.minutes, max(minutes, 0.01)),
            }
        )

    def _trials_of(self, name: str) -> int:
        return sum(s.proposal.specialist == name for n, s in self.campaign.lineage.started.items() if n > 0)

    def _begin(self, name: str, caps: Caps) -> None:
        session = Session(
            self.campaign, self.access, name, self.plan.models[name], caps, self.plan.extras, self._wake.set
        )
        task = asyncio.create_task(session.run(), name=session.id)
        task.add_done_callback(lambda _: self._wake.set())
        self._live[name] = (session, task)
        self._progress.session_started(session.id, caps.submits)

    def _collect(self) -> None:
        """Take in the sessions that ended; an error in our own code is raised."""
        for name, (_, task) in list(self._live.items()):
            if task.done():
                del self._live[name]
                report = task.result()
                self._reports.append(report)
                self._spend.add(report)
                self._progress.session_ended(report)
                self._judge(self._paces[name], report)
        self._look()

    def _judge(self, pace: Pace, report: SessionReport) -> None:
        """A session without a trial makes its specialist wait, an ailing endpoint everybody."""
        if report.transient:
            self._endpoint.failed(report)
            if self._endpoint.wait_s > 60:
                self.say(f"the endpoint fails: no session starts for {self._endpoint.wait_s:.0f} s")
            return
        self._endpoint.worked()
        if report.trials:
            pace.worked()
        if not report.trials or (report.end_reason and report.end_reason.failed):
            pace.failed(report)

    async def _cut_off(self) -> None:
        tasks = [task for _, task in self._live.values()]
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, SessionReport):  # it ended by itself at this moment
                self._reports.append(found)
                self._spend.add(found)
        self._live.clear()

    # ---- what it says

    def _report(self, reason: RunReason, detail: str) -> RunReport:
        lineage = self.campaign.lineage.refresh()
        best, baseline = lineage.best, lineage.trials.get(0)
        return RunReport(
            reason=reason,
            detail=detail,
            trials=len(self._started()),
            recorded=sum(number > 0 for number in lineage.trials),
            sessions=len(self._reports) + len(self._live),
            baseline=baseline.score if baseline else None,
            best=best.score if best else None,
            best_trial=best.number if best else None,
            cost_usd=sum(report.charged_usd for report in self._reports),
            campaign_usd=self._spend.usd,
            campaign_hours=self._spend.hours(),
        )

    def _state(self) -> RunState:
        waits = (_waiting(n, pace, self._endpoint) for n, pace in self._paces.items() if n not in self._live)
        return RunState(
            pid=os.getpid(),
            began=self.began,
            at=now(),
            plan=self.plan,
            usd=self._spend.usd,
            hours=self._spend.hours(),
            hours_since_keep=self._since_keep(),
            longest_trial_s=longest_trial_s(self.campaign.task),
            live=tuple(live_session(session) for session, _ in self._live.values()),
            waiting=tuple(wait for wait in waits if wait),
            ended=tuple(ended_session(report) for report in self._reports[-_TOLD:]),
        )


def _waiting(name: str, pace: Pace, endpoint: Pace) -> Waiting | None:
    seconds = max(pace.wait_s, endpoint.wait_s)
    why = "the endpoint fails" if endpoint.wait_s else "its last sessions brought no trial"
    return Waiting(specialist=name, until=now() + timedelta(seconds=seconds), why=why) if seconds else None


def _words(report: SessionReport) -> str:
    return f"{report.session} ({report.end_reason}) {report.error or report.last_words}".strip()


def longest_trial_s(task: Task) -> float:
    """More seconds than one trial can take alone on an idle host, a second attempt included."""
    boxes = sum((p.seconds + (p.ready_s or 60.0)) * (task.seeds if p.per == "seed" else 1) for p in task.phases)
    return 2 * (boxes + 2 * task.evaluator.seconds * task.seeds) + 600
