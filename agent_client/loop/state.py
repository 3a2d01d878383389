"""What a campaign run says of itself: while it lives in `run/state.json`, at its end as a report."""

from enum import StrEnum

from pydantic import AwareDatetime

from agent_client.loop.plan import Plan
from lineage_repo.model.measurement import Record
from lineage_repo.model.session import EndReason


class RunEnd(StrEnum):
    """Why a campaign run ended."""

    GOAL = "goal"
    """The asked number of trials is recorded."""
    HOURS = "hours"
    USD = "usd"
    NO_IMPROVEMENT = "no_improvement"
    """No keep for as long as the plan allows."""
    STOPPED = "stopped"
    """Somebody asked for it."""
    IDLE = "idle"
    """No specialist submits anything any more."""
    FAILING = "failing"
    """Session after session failed, for every specialist or at the endpoint."""
    UNRECORDED = "unrecorded"
    """Every trial is registered, but some got no outcome in the time that their limits allow."""
    CRASH = "crash"
    """An error in our own code; it is raised as well."""

    @property
    def failed(self) -> bool:
        """Whether somebody should look into it, rather than be content."""
        return self in {RunEnd.IDLE, RunEnd.FAILING, RunEnd.UNRECORDED, RunEnd.CRASH}


class RunSummary(Record):
    """What a campaign run came to."""

    reason: RunEnd
    detail: str
    trials: int
    """Registered in the campaign, the baseline not counted."""
    recorded: int
    sessions: int
    """Started by this run."""
    baseline: float | None
    best: float | None
    best_trial: int | None
    cost_usd: float
    """Of this run's sessions."""
    campaign_usd: float = 0.0
    """Of all sessions of the campaign; one that was cut off without a price counts with its cap."""
    campaign_hours: float = 0.0
    """That loops worked on the campaign, pauses left out."""


class LiveSession(Record):
    """A session that runs now."""

    session: str
    specialist: str
    since: AwareDatetime
    heard: AwareDatetime
    """Time of its last message."""
    turns: int
    tokens: int
    trials: tuple[int, ...]
    doing: str


class Waiting(Record):
    """A specialist that holds no session before a moment."""

    specialist: str
    until: AwareDatetime
    why: str


class EndedSession(Record):
    """How a session of this run ended."""

    session: str
    reason: EndReason
    failed: bool
    error: str | None


class RunState(Record):
    """`run/state.json`: what `status` and `top` know of the loop."""

    pid: int
    began: AwareDatetime
    at: AwareDatetime
    """When this was written; a loop that lives writes every few seconds."""
    reason: RunEnd | None = None
    """None while it runs."""
    detail: str = ""
    plan: Plan
    usd: float
    hours: float
    hours_since_keep: float
    longest_trial_s: float
    live: tuple[LiveSession, ...]
    waiting: tuple[Waiting, ...]
    ended: tuple[EndedSession, ...]
    """The last few."""
