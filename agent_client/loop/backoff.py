"""Patience: who has to wait before the next session, and when nobody gets further."""

from collections.abc import Container, Iterable
from datetime import timedelta

from agent_client.loop.pace import FRUITLESS, PATIENCE, Pace
from agent_client.loop.progress import Say
from agent_client.loop.state import RunEnd, Waiting
from lineage_repo.model.measurement import now
from lineage_repo.model.session import SessionRecord


class Backoff:
    """The paces of all specialists, and of the endpoint that they share."""

    def __init__(self, names: Iterable[str], say: Say) -> None:
        self._paces = {name: Pace() for name in names}
        self._endpoint, self._say = Pace(), say

    @property
    def exhausted(self) -> bool:
        """Whether every specialist has had its last chance."""
        return all(pace.failures >= FRUITLESS for pace in self._paces.values())

    @property
    def blocked(self) -> bool:
        """Whether nobody may begin a session now."""
        return bool(self._endpoint.wait_s) or self.exhausted

    @property
    def ready(self) -> list[str]:
        """Specialists that need not wait for themselves."""
        return [name for name, pace in self._paces.items() if not pace.wait_s]

    def judge(self, report: SessionRecord) -> None:
        """A session without a trial makes its specialist wait, an ailing endpoint everybody."""
        if report.transient:
            self._endpoint.failed(report)
            if self._endpoint.wait_s > 60:
                self._say(f"the endpoint fails: no session starts for {self._endpoint.wait_s:.0f} s")
            return
        self._endpoint.worked()
        pace = self._paces[report.specialist]
        if report.trials:
            pace.worked()
        if not report.trials or (report.end_reason and report.end_reason.failed):
            pace.failed(report)

    def stuck(self) -> tuple[RunEnd, str] | None:
        """Why nobody gets further; None while somebody may."""
        if self._endpoint.failures >= PATIENCE and self._endpoint.last:
            last = _words(self._endpoint.last)
            return RunEnd.FAILING, f"{PATIENCE} rounds of errors of the endpoint; the last: {last}"
        if not self.exhausted:
            return None
        lasts = [pace.last for pace in self._paces.values() if pace.last]
        failed = [report for report in lasts if report.end_reason and report.end_reason.failed]
        what = "failed" if failed else "brought no trial"
        return (
            RunEnd.FAILING if failed else RunEnd.IDLE,
            f"{FRUITLESS} sessions in a row of every specialist {what}; the last: {_words((failed or lasts)[-1])}",
        )

    def waiting(self, live: Container[str]) -> tuple[Waiting, ...]:
        """Who waits, and until when."""
        found: list[Waiting] = []
        for name, pace in self._paces.items():
            seconds = max(pace.wait_s, self._endpoint.wait_s)
            if seconds and name not in live:
                why = "the endpoint fails" if self._endpoint.wait_s else "its last sessions brought no trial"
                found.append(Waiting(specialist=name, until=now() + timedelta(seconds=seconds), why=why))
        return tuple(found)


def _words(report: SessionRecord) -> str:
    return f"{report.session} ({report.end_reason}) {report.error or report.last_words}".strip()
