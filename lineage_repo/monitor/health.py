"""How a campaign is doing at this moment: its overview, what runs now, what its loop says, and alarms.

Read from files alone and without a heavy import, because a monitor asks every second.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lineage_repo.model.paths import CampaignPaths, TrialPaths
from lineage_repo.monitor.control import Control
from lineage_repo.monitor.host_slots import QUEUED
from lineage_repo.monitor.json_shape import dump
from lineage_repo.monitor.overview import SCHEMA, Overview, ProofView, RunningTrial, read_overview
from lineage_repo.monitor.run_state import RunState
from lineage_repo.storage import locks
from lineage_repo.storage.files import read_plain

SILENT_S = 60.0
"""A loop that lives writes its state every few seconds."""
LOW_BYTES = 1 << 30
_STREAK, _STREAK_OF = 6, 8
"""So many of so many newest trials that fail in the same way raise an alarm."""
_FAILED_SESSIONS = 3

State = Literal["running", "paused", "stalled", "dead", "done", "idle"]
"""`idle`: no loop ever ran."""


class Alarm(NamedTuple):
    """Something that somebody should look at."""

    kind: str
    text: str


class TrialNow(NamedTuple):
    """A trial that is not recorded yet."""

    entry: RunningTrial
    alive: bool
    """Whether its runner lives."""
    doing: str
    """The runner's newest line of progress; empty where there is none."""


class ProofNow(NamedTuple):
    """A proof that is not recorded yet."""

    entry: ProofView
    alive: bool
    doing: str


class CampaignStatus(NamedTuple):
    """A campaign at one moment."""

    at: datetime
    overview: Overview
    running: tuple[TrialNow, ...]
    proof: ProofNow | None
    """The proof that runs now."""
    alive: bool
    """Whether a loop runs."""
    paused: bool
    run: RunState | None
    """What the present or last loop says of itself."""
    news_at: datetime
    """When the last sign of work came."""
    free_bytes: int | None

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong, the worst first."""
        return (*_loop_alarms(self), *_work_alarms(self))

    @property
    def state(self) -> State:
        """What the campaign's loop is doing."""
        kinds = {alarm.kind for alarm in self.alarms}
        if "dead" in kinds:
            return "dead"
        if "stalled" in kinds:
            return "stalled"
        if self.alive:
            return "paused" if self.paused else "running"
        return "done" if self.run and self.run.reason else "idle"

    def as_json(self) -> dict[str, Any]:
        """Return the status as `espalier status --json` prints it."""
        running = [
            dump(trial.entry) | {"alive": trial.alive} | ({"doing": trial.doing} if trial.doing else {})
            for trial in self.running
        ]
        proof: dict[str, Any] = dump(self.overview.proof) if self.overview.proof else {}
        if self.proof:
            proof |= {"alive": self.proof.alive, "doing": self.proof.doing}
        run: dict[str, Any] = dump(self.run) if self.run else {}
        loop = run | {"alive": self.alive, "paused": self.paused}
        free = {} if self.free_bytes is None else {"free_bytes": self.free_bytes}
        return {
            "schema": SCHEMA,
            **dump(self.overview),
            "running": running,
            "proof": proof or None,
            "loop": loop,
            "news_at": dump(self.news_at),
            **free,
            "alarms": dump(self.alarms),
            "state": self.state,
        }


def read_status(directory: Path) -> CampaignStatus:
    """Read how a campaign is doing.

    Raises:
        RecordError: `directory` is neither a campaign nor a clone of a lineage.
    """
    overview, control, now = _load_overview(directory), Control(directory), datetime.now(UTC)
    trials = tuple(_read_trial(directory, entry) for entry in overview.running)
    proof = _read_proof(directory, overview.proof)
    free: int | None = None
    with suppress(OSError):
        free = shutil.disk_usage(directory).free
    run = control.read()
    news_at = max(_news(directory, run, trials, proof, now), default=now)
    return CampaignStatus(now, overview, trials, proof, control.alive, control.paused, run, news_at, free)


def _load_overview(directory: Path) -> Overview:
    """Return the overview of a campaign or a clone; raise `RecordError` where `directory` is neither."""
    overview = read_overview(directory)
    if overview is None:
        from lineage_repo.monitor import from_git

        overview = from_git.rebuild_overview(directory)
    return overview


def is_queued(trial: Path) -> bool:
    """Return whether the trial with this folder waits for a slot, however long: its runner lives and says so."""
    return _read_progress(trial).startswith(QUEUED) and locks.is_alive(trial)


def _read_trial(directory: Path, entry: RunningTrial) -> TrialNow:
    folder = CampaignPaths(directory).trial(entry.trial).folder
    return TrialNow(entry, locks.is_alive(folder), _read_progress(folder))


def _read_proof(directory: Path, entry: ProofView | None) -> ProofNow | None:
    if entry is None or entry.outcome is not None:
        return None
    folder = CampaignPaths(directory).proof(entry.proof).folder
    return ProofNow(entry, locks.is_alive(folder), _read_progress(folder))


def _read_progress(trial: Path) -> str:
    with suppress(OSError, ValueError):
        return read_plain(TrialPaths(trial).progress).decode("utf-8")
    return ""


def _loop_alarms(status: CampaignStatus) -> Iterator[Alarm]:
    run = status.run
    if run and run.reason is None and not status.alive:
        unrecorded = f"; {len(status.running)} trials of it are not recorded yet" if status.running else ""
        yield Alarm("dead", f"the loop died without a word{unrecorded}: the same `espalier run` command resumes")
    if run and status.alive:
        silent_s = (status.at - run.at).total_seconds()
        quiet_s = (status.at - status.news_at).total_seconds()
        if silent_s > SILENT_S:
            yield Alarm("stalled", f"the loop has said nothing for {silent_s:.0f} s: process {run.pid} hangs")
        elif quiet_s > run.longest_trial_s and not status.paused:
            yield Alarm("stalled", f"no news for {quiet_s / 60:.0f} min, longer than the longest trial can take")


def _work_alarms(status: CampaignStatus) -> Iterator[Alarm]:
    overview = status.overview
    if lost := [f"{trial.entry.trial:04d}" for trial in status.running if not trial.alive]:
        yield Alarm("lost", f"the runner of {', '.join(lost)} died; the next serve or run records harness_abort")
    if status.proof and not status.proof.alive:
        number = status.proof.entry.proof
        yield Alarm("lost", f"the runner of proof {number} died; the next serve or run records it as aborted")
    ended = status.run.ended[-_FAILED_SESSIONS:] if status.run else ()
    if len(ended) == _FAILED_SESSIONS and all(session.failed for session in ended):
        text = f"the last {len(ended)} sessions failed: {ended[-1].reason} {ended[-1].error or ''}"
        yield Alarm("failing", text)
    failures = [trial.status for trial in overview.recent[:_STREAK_OF] if trial.score is None]
    if overview.calibrations and failures and (top := Counter(failures).most_common(1)[0])[1] >= _STREAK:
        yield Alarm("streak", f"{top[1]} of the last {_STREAK_OF} trials ended as {top[0]}")
    if status.free_bytes is not None and status.free_bytes < LOW_BYTES:
        yield Alarm("disk", f"only {status.free_bytes / (1 << 20):.0f} MiB are free where the campaign lies")


def _news(
    directory: Path, run: RunState | None, trials: tuple[TrialNow, ...], proof: ProofNow | None, now: datetime
) -> Iterator[datetime]:
    """Yield when anything last moved: a trial or a proof that began, went on or ended, or a message of a session.

    Whatever waits for a named moment, or for a slot of the host, counts as active until now.
    """
    paths = CampaignPaths(directory)
    if run:
        yield run.began
        yield from (session.heard for session in run.live)
        yield from (min(specialist.until, now) for specialist in run.waiting)
    works = (*trials, *((proof,) if proof else ()))
    yield from (now for work in works if work.alive and work.doing.startswith(QUEUED))
    progress = [paths.trial(trial.entry.trial).progress for trial in trials]
    progress += [paths.proof(proof.entry.proof).progress] if proof else []
    for path in (paths.ledger_ref, *progress):
        with suppress(OSError):
            yield datetime.fromtimestamp(path.stat().st_mtime, UTC)
