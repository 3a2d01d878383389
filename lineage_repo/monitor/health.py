"""Live: where a campaign stands at this moment, from files alone, and what about it is alarming.

Plain data like the overview, and no heavy import: a monitor may ask every second.
"""

import importlib
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from lineage_repo.model.paths import CampaignPaths, TrialPaths
from lineage_repo.monitor import json_shape
from lineage_repo.monitor.control import Control
from lineage_repo.monitor.host_slots import QUEUED
from lineage_repo.storage import locks
from lineage_repo.storage.files import read_plain

SILENT_S = 60.0
"""A loop that lives writes its state every few seconds."""
LOW_BYTES = 1 << 30
_STREAK, _OF = 6, 8
_FAILED = 3


_SCORE = (json_shape.number, None)
_OVERVIEW = {
    "tip": str,
    "campaign": str,
    "arm": str,
    "read_record": bool,
    "specialists": [str],
    "title": str,
    "objective": {"metric": str, "direction": str, "unit": str, "digits": json_shape.digits},
    "baseline": _SCORE,
    "best": (None, {"trial": int, "score": json_shape.number, "title": str, "at": json_shape.moment}),
    "gain": _SCORE,
    "noise_sd": _SCORE,
    "trials": int,
    "calibrations": int,
    "counts": {"*": int},
    "certified": [
        {
            "nth": int,
            "number": int,
            "against": int,
            "gain": json_shape.number,
            "p": json_shape.number,
            "certified": bool,
        }
    ],
    "running": [{"trial": int, "title": str, "specialist": str, "since": json_shape.moment}],
    "recent": [
        {
            "trial": int,
            "status": str,
            "score": _SCORE,
            "delta_vs_best": _SCORE,
            "title": str,
            "failure": (str, None),
            "seconds": json_shape.number,
            "at": json_shape.moment,
        }
    ],
}
"""What readers of `overview.json` rely on."""


class Alarm(NamedTuple):
    """Something that somebody should look at."""

    kind: str
    text: str


def look(directory: Path) -> dict[str, Any]:
    """The overview with what runs now, what the loop says, and alarms; raise `ClickException` for no campaign."""
    found = _current(directory) or _from_git(directory)
    for entry in found["running"]:
        folder = CampaignPaths(directory).trial(entry["trial"]).folder
        entry["alive"] = locks.is_alive(folder)
        if words := _doing(folder):
            entry["doing"] = words
    control = Control(directory)
    found["loop"] = control.read() | {"alive": control.alive, "paused": control.paused}
    found["news_at"] = _news_at(directory, found).isoformat()
    with suppress(OSError):
        found["free_bytes"] = shutil.disk_usage(directory).free
    found["alarms"] = [alarm._asdict() for alarm in alarms(found)]
    found["state"] = _state(found)
    return found


def is_queued(trial: Path) -> bool:
    """Whether the trial of this folder waits for a slot, however long: its runner lives and says so."""
    return _doing(trial).startswith(QUEUED) and locks.is_alive(trial)


def _doing(trial: Path) -> str:
    with suppress(OSError, ValueError):
        return read_plain(TrialPaths(trial).progress).decode("utf-8")
    return ""


def alarms(found: dict[str, Any]) -> list[Alarm]:
    """What is wrong, the worst first."""
    return list(_alarms(found, datetime.now(UTC)))


def _alarms(found: dict[str, Any], now: datetime) -> Iterator[Alarm]:
    loop, running = found["loop"], found["running"]
    if "at" in loop and loop.get("reason") is None and not loop["alive"]:
        still = f"; {len(running)} trials of it are not recorded yet" if running else ""
        yield Alarm("dead", f"the loop died without a word{still}: the same `espalier run` command resumes")
    if loop["alive"] and "at" in loop:
        silent = (now - datetime.fromisoformat(loop["at"])).total_seconds()
        quiet = (now - datetime.fromisoformat(found["news_at"])).total_seconds()
        if silent > SILENT_S:
            yield Alarm("stalled", f"the loop has said nothing for {silent:.0f} s: process {loop['pid']} hangs")
        elif quiet > loop["longest_trial_s"] and not loop["paused"]:
            yield Alarm("stalled", f"no news for {quiet / 60:.0f} min, longer than the longest trial can take")
    if lost := [f"{e['trial']:04d}" for e in running if not e["alive"]]:
        yield Alarm("lost", f"the runner of {', '.join(lost)} died; the next serve or run records harness_abort")
    last: list[dict[str, Any]] = loop.get("ended", [])[-_FAILED:]
    if len(last) == _FAILED and all(session["failed"] for session in last):
        yield Alarm("failing", f"the last {_FAILED} sessions failed: {last[-1]['reason']} {last[-1]['error'] or ''}")
    recent = [row["status"] for row in found.get("recent", [])[:_OF] if row["score"] is None]
    if found["calibrations"] and recent and (top := Counter(recent).most_common(1)[0])[1] >= _STREAK:
        yield Alarm("streak", f"{top[1]} of the last {_OF} trials ended as {top[0]}")
    if found.get("free_bytes", LOW_BYTES) < LOW_BYTES:
        yield Alarm("disk", f"{found['free_bytes'] / (1 << 20):.0f} MiB are free where the campaign lies")


def _state(found: dict[str, Any]) -> str:
    """One of running, paused, stalled, dead, done, idle (no loop ever ran)."""
    kinds = {alarm["kind"] for alarm in found["alarms"]}
    for kind in ("dead", "stalled"):
        if kind in kinds:
            return kind
    if found["loop"]["alive"]:
        return "paused" if found["loop"]["paused"] else "running"
    return "done" if found["loop"].get("reason") else "idle"


def _news_at(directory: Path, found: dict[str, Any]) -> datetime:
    """When anything was last heard: a trial that began, moved on or ended, a message of a session.

    Who waits for a named moment, or for a slot of the host, is heard of until now.
    """
    loop, now = found["loop"], datetime.now(UTC)
    moments = [datetime.fromisoformat(session["heard"]) for session in loop.get("live", [])]
    moments += [datetime.fromisoformat(loop["began"])] if "began" in loop else []
    moments += [min(datetime.fromisoformat(entry["until"]), now) for entry in loop.get("waiting", [])]
    trials = [CampaignPaths(directory).trial(entry["trial"]).folder for entry in found["running"]]
    moments += [now for trial in trials if is_queued(trial)]
    for path in (CampaignPaths(directory).ledger_ref, *(TrialPaths(trial).progress for trial in trials)):
        with suppress(OSError):
            moments.append(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return max(moments, default=now)


def _current(directory: Path) -> dict[str, Any] | None:
    """The overview, if it was written for the ledger's present tip."""
    try:
        tip = read_plain(CampaignPaths(directory).ledger_ref).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    found = json_shape.read(CampaignPaths(directory).overview, _OVERVIEW)
    return found if found and found["tip"] == tip else None


def _from_git(directory: Path) -> dict[str, Any]:
    """Fold the whole ledger, and leave the overview for the next call."""
    lineage = importlib.import_module("lineage_repo.record.opening").open_lineage(directory)
    overview = importlib.import_module("lineage_repo.monitor.overview")
    overview.write_overview(lineage)
    return overview.build_overview(lineage)
