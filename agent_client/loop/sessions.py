"""The sessions that run now, at most one of a specialist."""

import asyncio
from contextlib import suppress

from agent_client.session.claude_options import Access, Assignment
from agent_client.session.session import Session
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.record.campaign import Campaign


class Sessions:
    """Begins sessions, stops them, and hands over the records of those that ended."""

    def __init__(self, campaign: Campaign, access: Access) -> None:
        self._campaign, self._access = campaign, access
        self._live: dict[str, tuple[Session, asyncio.Task[SessionRecord]]] = {}
        self.changed = asyncio.Event()
        """Set when a session has begun or ended, or is asked to stop."""

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, specialist: str) -> bool:
        return specialist in self._live

    @property
    def live(self) -> list[Session]:
        return [session for session, _ in self._live.values()]

    @property
    def starting(self) -> int:
        """How many sessions have not begun yet."""
        return sum(not session.activity.begun for session in self.live)

    @property
    def submits(self) -> int:
        """Trials that the sessions may still register."""
        return sum(max(0, session.caps.submits - len(session.trials)) for session in self.live)

    @property
    def usd(self) -> float:
        """Most that the sessions may cost together."""
        return sum(session.caps.usd for session in self.live)

    def begin(self, assignment: Assignment) -> Session:
        """Begin a session of a specialist that has none."""
        session = Session(self._campaign, self._access, assignment, self.changed)
        task = asyncio.create_task(session.run(), name=session.id)
        task.add_done_callback(lambda _: self.changed.set())
        self._live[assignment.specialist] = (session, task)
        return session

    def stop(self, reason: EndReason) -> None:
        """Interrupt all."""
        for session in self.live:
            session.stop(reason)
        self.changed.set()

    async def wait(self, limit_s: float) -> None:
        """Wait until something has changed since the last call, at most `limit_s`."""
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self.changed.wait()

    def take_ended(self) -> list[SessionRecord]:
        """Return the records of sessions that ended since the last call; an error in our own code is raised."""
        ended = [name for name, (_, task) in self._live.items() if task.done()]
        return [self._live.pop(name)[1].result() for name in ended]

    async def cut_off(self) -> list[SessionRecord]:
        """Cancel all; return the records of those that ended by themselves at this moment."""
        tasks = [task for _, task in self._live.values()]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        self._live.clear()
        return [result for result in results if isinstance(result, SessionRecord)]
