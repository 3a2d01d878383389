"""What a running loop says of itself in `run/state.json`, as readers see it.

`agent_client.loop.state` is the writer's side of the same file.
"""

from datetime import datetime
from typing import NamedTuple


class PlanView(NamedTuple):
    """What the run was asked for; None where nothing caps it."""

    models: dict[str, str]
    trials: int | None
    hours: float
    no_improvement_hours: float
    usd: float | None
    concurrency: int
    submits: int | None
    extras: tuple[str, ...]


class LiveSession(NamedTuple):
    """A session that runs now."""

    session: str
    specialist: str
    since: datetime
    heard: datetime
    """When its last message came."""
    turns: int
    tokens: int
    trials: tuple[int, ...]
    doing: str


class WaitingSpecialist(NamedTuple):
    """A specialist that starts no session before `until`."""

    specialist: str
    until: datetime
    why: str


class EndedSession(NamedTuple):
    """How a session of this run ended."""

    session: str
    reason: str
    failed: bool
    error: str | None


class RunState(NamedTuple):
    """The present loop, or the last one."""

    pid: int
    began: datetime
    at: datetime
    """When this was written; a loop that lives writes every few seconds."""
    reason: str | None
    """Why the loop ended; None while it runs."""
    detail: str
    plan: PlanView
    usd: float
    hours: float
    hours_since_keep: float
    longest_trial_s: float
    live: tuple[LiveSession, ...]
    waiting: tuple[WaitingSpecialist, ...]
    ended: tuple[EndedSession, ...]
    """The last few sessions."""
