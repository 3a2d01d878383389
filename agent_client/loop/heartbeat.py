"""The heartbeat: what a running loop leaves for `status` and `top`, and the alarms that it tells."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

from agent_client.loop.notify import Notifier
from agent_client.loop.progress import Say
from agent_client.loop.state import EndedSession, LiveSession, RunEnd, RunState
from agent_client.session.session import Session
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.monitor import health
from lineage_repo.monitor.control import Control
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.files import write_whole
from lineage_repo.text.redact import Redactor

EVERY_S = 5.0


class Heartbeat:
    """Writes `run/state.json`; everything in it can be derived again."""

    def __init__(self, campaign: Campaign, redact: Redactor, say: Say, notify: Notifier) -> None:
        self._folder, self._redact, self._say, self._notify = campaign.folder, redact, say, notify
        self._path = Control(campaign.folder).state
        self._at = -EVERY_S
        self._alarms: set[str] = set()

    def beat(self, state: Callable[[], RunState], *, changed: bool) -> None:
        """Write the state every few seconds and after a change; tell every alarm once, until it has ceased."""
        if changed or time.monotonic() - self._at >= EVERY_S:
            self._at = time.monotonic()
            self._write(state())
            self._tell_alarms()

    def end(self, state: Callable[[], RunState], reason: RunEnd, detail: str) -> None:
        """Write how the run ended."""
        self._write(state().model_copy(update={"reason": reason, "detail": detail}))

    def _tell_alarms(self) -> None:
        found = health.read_status(self._folder).alarms
        for alarm in found:
            if alarm.kind not in self._alarms:
                self._say(f"ALARM {alarm.text}")
                self._notify("alarm", alarm=alarm.kind, text=alarm.text)
        self._alarms = {alarm.kind for alarm in found}

    def _write(self, state: RunState) -> None:
        with suppress(OSError):  # a full disk is an alarm, no reason to end the run
            write_whole(self._path, json.dumps(self._redact.data(state.model_dump(mode="json")), indent=1).encode())


def live_session(session: Session) -> LiveSession:
    """What a session does now."""
    activity = session.activity
    return LiveSession(
        session=session.id,
        specialist=session.specialist,
        since=session.started,
        heard=activity.heard_at,
        turns=activity.turns,
        tokens=activity.usage.fresh,
        trials=session.trials,
        doing=activity.doing,
    )


def ended_session(report: SessionRecord) -> EndedSession:
    """How a session ended, briefly."""
    reason = report.end_reason or EndReason.LOST
    return EndedSession(session=report.session, reason=reason, failed=reason.failed, error=report.error)
