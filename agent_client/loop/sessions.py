"""The crew: the sessions that run now, at most one of a specialist."""

import asyncio
from collections.abc import Callable

from agent_client.loop.plan import Plan
from agent_client.session.claude_options import Access
from agent_client.session.session import Session
from lineage_repo.model.ledger import Caps
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.record.campaign import Campaign


class Sessions:
    """Begins sessions, stops them, and hands over the reports of those that ended."""

    def __init__(self, campaign: Campaign, access: Access, plan: Plan, on_change: Callable[[], None]) -> None:
        self._campaign, self._access, self._plan, self._on_change = campaign, access, plan, on_change
        self._live: dict[str, tuple[Session, asyncio.Task[SessionRecord]]] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, specialist: str) -> bool:
        return specialist in self._live

    @property
    def sessions(self) -> list[Session]:
        return [session for session, _ in self._live.values()]

    @property
    def starting(self) -> int:
        """Sessions that are not begun yet."""
        return sum(not session.activity.begun for session in self.sessions)

    @property
    def submits(self) -> int:
        """Trials that they may still register."""
        return sum(max(0, session.caps.submits - len(session.trials)) for session in self.sessions)

    @property
    def usd(self) -> float:
        """What they may cost together."""
        return sum(session.caps.usd for session in self.sessions)

    def begin(self, name: str, caps: Caps) -> Session:
        """Begin a session of a specialist that holds none."""
        plan = self._plan
        session = Session(self._campaign, self._access, name, plan.models[name], caps, plan.extras, self._on_change)
        task = asyncio.create_task(session.run(), name=session.id)
        task.add_done_callback(lambda _: self._on_change())
        self._live[name] = (session, task)
        return session

    def stop(self, reason: EndReason) -> None:
        """Interrupt all."""
        for session in self.sessions:
            session.stop(reason)

    def take_ended(self) -> list[SessionRecord]:
        """The reports of sessions that ended since the last call; an error in our own code is raised."""
        ended = [name for name, (_, task) in self._live.items() if task.done()]
        return [self._live.pop(name)[1].result() for name in ended]

    async def cut_off(self) -> list[SessionRecord]:
        """Cancel all; return the reports of those that ended by themselves at this moment."""
        tasks = [task for _, task in self._live.values()]
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        self._live.clear()
        return [report for report in found if isinstance(report, SessionRecord)]
