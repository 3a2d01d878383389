"""Back-off: who has to wait before the next session, and when waiting is pointless."""

import logging
import random
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import timedelta

from agent_client.loop.plan import Ending, RunEnd
from agent_client.loop.state import Waiting
from lineage_repo.model.measurement import now
from lineage_repo.model.session import SessionRecord

FRUITLESS_SESSIONS = 3
"""Sessions in a row without a trial, for every specialist, after which the run ends."""
ENDPOINT_ROUNDS = 12
"""Rounds of transient errors after which the endpoint is given up: about three quarters of an hour."""
_MOST_S = 600.0
_log = logging.getLogger("espalier.run")


@dataclass
class Delay:
    """How long to wait after failures in a row: 2 s, 4 s, 8 s, ... with jitter."""

    failures: int = 0
    ready_at: float = 0.0
    """On the monotonic clock."""
    last: SessionRecord | None = None
    """The session that failed last."""

    @property
    def wait_s(self) -> float:
        return max(0.0, self.ready_at - time.monotonic())

    def reset(self) -> None:
        """A session worked: the next failure is the first in a row again."""
        self.failures = 0

    def extend(self, session: SessionRecord) -> None:
        """Count a failure and wait longer, at least until the moment that the endpoint names.

        Failures during a wait belong to the one that caused it and count once.
        """
        self.last = session
        if self.wait_s > 0:
            return
        self.failures += 1
        # Jitter keeps sessions that failed together from coming back together.
        delay = min(2.0**self.failures, _MOST_S) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        until_named = (session.retry_at - now()).total_seconds() if session.retry_at else 0.0
        self.ready_at = time.monotonic() + max(delay, until_named)


class Backoff:
    """The delays of all specialists, and of the endpoint that they share."""

    def __init__(self, specialists: Iterable[str]) -> None:
        self._delays = {name: Delay() for name in specialists}
        self._endpoint = Delay()

    @property
    def exhausted(self) -> bool:
        """Whether every specialist has used its last chance."""
        return all(delay.failures >= FRUITLESS_SESSIONS for delay in self._delays.values())

    @property
    def blocked(self) -> bool:
        """Whether nobody may begin a session now."""
        return bool(self._endpoint.wait_s) or self.exhausted

    @property
    def ready(self) -> list[str]:
        """Specialists without a delay of their own."""
        return [name for name, delay in self._delays.items() if not delay.wait_s]

    def take(self, session: SessionRecord) -> None:
        """Learn from a session that ended: a fruitless one delays its specialist, a failing endpoint everybody."""
        if session.transient:
            self._endpoint.extend(session)
            if self._endpoint.wait_s > 60:
                _log.warning("the endpoint fails: no session starts for %.0f s", self._endpoint.wait_s)
            return
        self._endpoint.reset()
        delay = self._delays[session.specialist]
        if session.trials:
            delay.reset()
        if not session.trials or (session.end_reason and session.end_reason.failed):
            delay.extend(session)

    def find_ending(self) -> Ending | None:
        """Why no session can help any more; None while one may."""
        if self._endpoint.failures >= ENDPOINT_ROUNDS and self._endpoint.last:
            last = _describe(self._endpoint.last)
            return Ending(RunEnd.FAILING, f"{ENDPOINT_ROUNDS} rounds of errors of the endpoint; the last: {last}")
        if not self.exhausted:
            return None
        lasts = [delay.last for delay in self._delays.values() if delay.last]
        failed = [session for session in lasts if session.end_reason and session.end_reason.failed]
        what = "failed" if failed else "brought no trial"
        last = _describe((failed or lasts)[-1])
        return Ending(
            RunEnd.FAILING if failed else RunEnd.IDLE,
            f"{FRUITLESS_SESSIONS} sessions in a row of every specialist {what}; the last: {last}",
        )

    def waiting(self, live: Container[str]) -> tuple[Waiting, ...]:
        """Specialists without a live session that have to wait, and until when."""
        waiting: list[Waiting] = []
        for name, delay in self._delays.items():
            wait_s = max(delay.wait_s, self._endpoint.wait_s)
            if wait_s and name not in live:
                why = "the endpoint fails" if self._endpoint.wait_s else "its last sessions brought no trial"
                waiting.append(Waiting(specialist=name, until=now() + timedelta(seconds=wait_s), why=why))
        return tuple(waiting)


def _describe(session: SessionRecord) -> str:
    return f"{session.session} ({session.end_reason}) {session.error or session.last_words}".strip()
