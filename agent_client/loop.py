"""The campaign loop: sessions of the specialists side by side until the asked number of trials is recorded.

It holds no state of its own. What is done is read from the lineage, so a loop that was killed goes on where it was.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from agent_client.options import Access
from agent_client.progress import Progress, Say
from agent_client.prompt import caps_of
from agent_client.report import EndReason, RunReason, RunReport, SessionReport
from agent_client.session import Session
from lineage_repo.campaign import Campaign
from lineage_repo.manifest import Task
from lineage_repo.records import Record

POLL_S = 1.0
FRUITLESS = 3
"""Sessions in a row without a trial, for every specialist, after which the run ends."""
MAX_BACKOFF_S = 64.0


class Plan(Record):
    """What a run is asked to do."""

    models: Mapping[str, str]
    """Specialist to model; who is absent holds no session."""
    trials: int
    """Registered trials that the campaign is to have in the end."""
    concurrency: int
    submits: int | None = None
    """Most trials per session; None for the caps of the role."""


@dataclass
class _Bench:
    """How a specialist's last sessions of this run went."""

    fruitless: int = 0
    ready_at: float = 0.0
    last: SessionReport | None = None


class Run:
    """One run of the loop; `stop` it once to end its sessions, twice to cut them off."""

    def __init__(self, campaign: Campaign, access: Access, plan: Plan, say: Say) -> None:
        self.campaign, self.access, self.plan, self.say = campaign, access, plan, say
        self.stopping = False
        self._cut = False
        self._main: asyncio.Task[object] | None = None
        self._wake = asyncio.Event()
        self._live: dict[str, tuple[Session, asyncio.Task[SessionReport]]] = {}
        self._reports: list[SessionReport] = []
        self._bench = {name: _Bench() for name in plan.models}
        self._progress = Progress(campaign.lineage.refresh(), say)
        self._news_at = time.monotonic()

    async def run(self) -> RunReport:
        """Hold sessions until the goal is reached, nobody gets further, or somebody says stop."""
        self._main = asyncio.current_task()
        try:
            return await self._until_over()
        except asyncio.CancelledError:
            if not self._cut:
                raise
            return self._report(RunReason.STOPPED, "cut off")
        finally:
            await self._cut_off()

    def stop(self) -> None:
        """Start no more sessions and interrupt those that run; the second call cuts them off."""
        if self.stopping and self._main:
            self._cut = True
            self._main.cancel()
            return
        self.stopping = True
        self.say("stopping: sessions end now; trials that run go on and are recorded, the same command resumes")
        for session, _ in self._live.values():
            session.stop(EndReason.INTERRUPTED)
        self._wake.set()

    async def _until_over(self) -> RunReport:
        while True:
            self._look()
            self._collect()
            if not self._live and (over := self._over()):
                return self._report(*over)
            self._launch()
            self._wake.clear()
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _look(self) -> None:
        self.campaign.recover()
        if self._progress.tell():
            self._news_at = time.monotonic()

    # ---- when it is over

    def _over(self) -> tuple[RunReason, str] | None:
        running = self._running()
        if self.stopping:
            going = ", ".join(f"{number:04d}" for number in running)
            return (
                RunReason.STOPPED,
                f"still running, recorded when they end: {going}" if going else "no trial is running",
            )
        if self._remaining() > 0:
            return self._stuck()
        if not running:
            return RunReason.GOAL, f"{self.plan.trials} trials are recorded"
        if time.monotonic() - self._news_at > longest_trial_s(self.campaign.task) * len(running):
            lost = ", ".join(f"{number:04d}" for number in running)
            return RunReason.UNRECORDED, f"no outcome of {lost} in the time that the limits allow: see `espalier logs`"
        return None

    def _stuck(self) -> tuple[RunReason, str] | None:
        if not self._exhausted():
            return None
        lasts = [bench.last for bench in self._bench.values() if bench.last]
        failed = [report for report in lasts if report.end_reason.failed]
        if failed:
            return (
                RunReason.FAILING,
                f"{FRUITLESS} sessions in a row of every specialist failed; the last: {_words(failed[-1])}",
            )
        return (
            RunReason.IDLE,
            f"{FRUITLESS} sessions in a row of every specialist brought no trial; the last: {_words(lasts[-1])}",
        )

    def _exhausted(self) -> bool:
        return all(bench.fruitless >= FRUITLESS for bench in self._bench.values())

    def _started(self) -> list[int]:
        return [number for number in self.campaign.lineage.started if number > 0]

    def _running(self) -> list[int]:
        return [started.number for started in self.campaign.lineage.running()]

    def _promised(self, name: str) -> int:
        """Submits that a live session of a specialist may still use."""
        if name not in self._live:
            return 0
        session = self._live[name][0]
        return max(0, session.submits - len(session.trials))

    def _remaining(self) -> int:
        """Trials that are neither registered nor promised to a session."""
        return self.plan.trials - len(self._started()) - sum(self._promised(name) for name in self._live)

    # ---- sessions

    def _launch(self) -> None:
        """Start sessions where there is room, those with the fewest trials first."""
        while not self.stopping and not self._exhausted() and self._remaining() > 0:
            ready = [n for n, b in self._bench.items() if n not in self._live and b.ready_at <= time.monotonic()]
            room = min(len(ready), self.plan.concurrency - len(self._live))
            if room < 1:
                return
            name = min(ready, key=self._trials_of)
            most = self.plan.submits or caps_of(self.campaign, name).submits
            self._begin(name, min(most, math.ceil(self._remaining() / room)))

    def _trials_of(self, name: str) -> int:
        return sum(s.proposal.specialist == name for n, s in self.campaign.lineage.started.items() if n > 0)

    def _begin(self, name: str, submits: int) -> None:
        session = Session(self.campaign, self.access, name, self.plan.models[name], submits)
        task = asyncio.create_task(session.run(), name=session.id)
        task.add_done_callback(lambda _: self._wake.set())
        self._live[name] = (session, task)
        self._progress.session_started(session.id, submits)

    def _collect(self) -> None:
        """Take in the sessions that ended; an error in our own code is raised."""
        for name, (_, task) in list(self._live.items()):
            if task.done():
                del self._live[name]
                report = task.result()
                self._reports.append(report)
                self._progress.session_ended(report)
                self._judge(self._bench[name], report)
        self._look()

    def _judge(self, bench: _Bench, report: SessionReport) -> None:
        """A session without a trial, or one that failed, makes its specialist wait: 2 s, 4 s, 8 s, ..."""
        bench.last = report
        bench.fruitless = 0 if report.trials else bench.fruitless + 1
        if bench.fruitless or report.end_reason.failed:
            bench.ready_at = time.monotonic() + min(2.0 ** max(bench.fruitless, 1), MAX_BACKOFF_S)

    async def _cut_off(self) -> None:
        tasks = [task for _, task in self._live.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
            cost_usd=sum(report.cost_usd for report in self._reports),
        )


def _words(report: SessionReport) -> str:
    return f"{report.session} ({report.end_reason}) {report.error or report.last_words}".strip()


def longest_trial_s(task: Task) -> float:
    """More seconds than one trial can take alone on an idle host, a second attempt included."""
    boxes = sum((p.seconds + (p.ready_s or 60.0)) * (task.seeds if p.per == "seed" else 1) for p in task.phases)
    return 2 * (boxes + 2 * task.evaluator.seconds * task.seeds) + 600
