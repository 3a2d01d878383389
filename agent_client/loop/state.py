"""What a campaign run says of itself: `run/state.json` while it works, a summary at its end, and its alarms."""

import json
import logging
import time
from contextlib import suppress

from pydantic import AwareDatetime

from agent_client.loop.notify import Notifier
from agent_client.loop.plan import Ending, Plan, RunEnd
from agent_client.session.session import Session
from lineage_repo.model.comparison import Interval
from lineage_repo.model.measurement import Record
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.monitor import health
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from lineage_repo.text.redact import Redactor

EVERY_S = 5.0
_log = logging.getLogger("espalier.run")


class RunSummary(Record):
    """What a campaign run achieved."""

    reason: RunEnd
    detail: str
    trials: int
    """Registered in the campaign, the baseline not counted."""
    recorded: int
    sessions: int
    """Started by this run."""
    baseline: float | None
    head: int | None
    """The trial that was observed to be the best; None without a baseline."""
    head_gain: Interval | None
    """Of the head over the start, in the objective's unit; None where the head is the start."""
    anchor: int | None
    """The trial that is proven."""
    anchor_gain: Interval | None
    anchor_steps: int
    """Gains that the anchor's was added up from; 1 where it was measured against the start."""
    smallest_gain: float
    """The gain that a trial finds with a probability of 80 %, in the objective's unit."""
    cost_usd: float
    """Of this run's sessions."""
    campaign_usd: float = 0.0
    """Of all sessions of the campaign; one that was cut off without a price counts with its cap."""
    campaign_hours: float = 0.0
    """Time that loops worked on the campaign; pauses do not count."""


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

    @classmethod
    def of(cls, session: Session) -> "LiveSession":
        """Read what a session does now."""
        activity = session.activity
        return cls(
            session=session.id,
            specialist=session.specialist,
            since=session.started,
            heard=activity.heard_at,
            turns=activity.turns,
            tokens=activity.usage.fresh,
            trials=session.trials,
            doing=activity.doing,
        )


class Waiting(Record):
    """A specialist that gets no session before a moment."""

    specialist: str
    until: AwareDatetime
    why: str


class EndedSession(Record):
    """How a session of this run ended."""

    session: str
    reason: EndReason
    failed: bool
    error: str | None

    @classmethod
    def of(cls, record: SessionRecord) -> "EndedSession":
        """Shorten the record of a session that ended."""
        reason = record.end_reason or EndReason.LOST
        return cls(session=record.session, reason=reason, failed=reason.failed, error=record.error)


class RunState(Record):
    """`run/state.json`: what `status` and `top` know of the loop."""

    pid: int
    began: AwareDatetime
    at: AwareDatetime
    """When this was written; a working loop writes every few seconds."""
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


class Heartbeat:
    """Writes `run/state.json` and raises alarms; everything in that file can be derived again."""

    def __init__(self, campaign: Campaign, redact: Redactor, notify: Notifier) -> None:
        self._campaign, self._redact, self._notify = campaign, redact, notify
        self._at = -EVERY_S
        self._alarms: set[str] = set()

    def beat(self, state: RunState, *, changed: bool) -> None:
        """Write the state and check for alarms, every few seconds and after a change."""
        if changed or time.monotonic() - self._at >= EVERY_S:
            self._at = time.monotonic()
            self._write(state)
            self._raise_alarms()

    def write_end(self, state: RunState, ending: Ending) -> None:
        """Write how the run ended."""
        self._write(state.model_copy(update={"reason": ending.reason, "detail": ending.detail}))

    def _raise_alarms(self) -> None:
        """Log each alarm once and notify the operator; it may come again after it has ceased."""
        alarms = health.read_status(self._campaign.folder).alarms
        for alarm in alarms:
            if alarm.kind not in self._alarms:
                _log.warning("ALARM %s", alarm.text)
                self._notify("alarm", alarm=alarm.kind, text=alarm.text)
        self._alarms = {alarm.kind for alarm in alarms}

    def _write(self, state: RunState) -> None:
        with suppress(OSError):  # a full disk is an alarm, no reason to end the run
            body = json.dumps(self._redact.redact_data(state.model_dump(mode="json")), indent=1)
            write_whole(self._campaign.paths.run_state, body.encode())
