"""The part of the host's configuration that every package needs: where it lies, and how many slots are in use."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lineage_repo.storage.locks import is_held

QUEUED = "waiting for a slot"
"""How a runner's progress line begins while its trial waits for other trials of the host, of any campaign."""


class Slots(NamedTuple):
    """The slots of this host, for all campaigns together."""

    total: int
    busy: int
    waiting: int
    """Trials that wait for one."""


def config_file(environment: Mapping[str, str]) -> Path:
    """Return `$XDG_CONFIG_HOME/espalier/host.toml`."""
    base = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "/")) / ".config"
    return Path(base) / "espalier" / "host.toml"


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return `$XDG_STATE_HOME/espalier`: the locks that all campaigns of this user share."""
    base = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME", "/")) / ".local" / "state"
    return Path(base) / "espalier"


def read_slots(environment: Mapping[str, str]) -> Slots:
    """Count the slots, those in use, and the trials that wait."""
    total, state = 1, state_folder(environment)
    with suppress(OSError, ValueError, TypeError):  # the commands that measure report a broken file
        raw = tomllib.loads(config_file(environment).read_text("utf-8"))
        total, state = int(raw.get("slots", 1)), Path(raw.get("state", state))
    folder = state / "slots"
    busy = sum(is_held(folder / f"slot-{i}") for i in range(total))
    waiting = sum(is_held(path) for path in (folder / "queue").iterdir()) if (folder / "queue").is_dir() else 0
    return Slots(total=total, busy=busy, waiting=waiting)
