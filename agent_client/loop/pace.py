"""Pace: when a specialist, or everybody who uses an endpoint, may hold the next session."""

import random
import time
from dataclasses import dataclass

from lineage_repo.model.measurement import now
from lineage_repo.model.session import SessionRecord

FRUITLESS = 3
"""Sessions in a row without a trial, for every specialist, after which the run ends."""
PATIENCE = 12
"""Rounds of transient errors after which the endpoint is given up: about three quarters of an hour."""
_MOST_S = 600.0


@dataclass
class Pace:
    """How the last sessions went and how long to wait after them: 2 s, 4 s, 8 s, ... with jitter."""

    failures: int = 0
    ready_at: float = 0.0
    """On the monotonic clock."""
    last: SessionRecord | None = None

    @property
    def wait_s(self) -> float:
        return max(0.0, self.ready_at - time.monotonic())

    def worked(self) -> None:
        """A session bore fruit."""
        self.failures = 0

    def failed(self, report: SessionRecord) -> None:
        """Back off; failures of the same moment count once, and a moment that the endpoint names is waited for."""
        self.last = report
        if self.wait_s > 0:
            return
        self.failures += 1
        # Jitter keeps sessions that failed together from coming back together.
        delay = min(2.0**self.failures, _MOST_S) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        named = (report.retry_at - now()).total_seconds() if report.retry_at else 0.0
        self.ready_at = time.monotonic() + max(delay, named)
