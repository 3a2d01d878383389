"""The operator's host configuration, as far as everybody needs it: where it lies, how many slots, who holds them."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from lineage_repo.storage.locks import is_held

QUEUED = "waiting for a slot"
"""How a runner's words begin while its trial waits for others of the host, of any campaign."""


class Slots(TypedDict):
    """The slots of this host, all campaigns together."""

    total: int
    busy: int
    waiting: int


def config_file(environment: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/espalier/host.toml`."""
    base = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "/")) / ".config"
    return Path(base) / "espalier" / "host.toml"


def state_folder(environment: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/espalier`: locks that all campaigns of this user share."""
    base = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME", "/")) / ".local" / "state"
    return Path(base) / "espalier"


def slots(environment: Mapping[str, str]) -> Slots:
    """How many slots there are, how many are held, and how many trials wait."""
    total, state = 1, state_folder(environment)
    with suppress(OSError, ValueError):  # whoever measures complains of a broken file
        raw = tomllib.loads(config_file(environment).read_text("utf-8"))
        total, state = int(raw.get("slots", 1)), Path(raw.get("state", state))
    folder = state / "slots"
    busy = sum(is_held(folder / f"slot-{i}") for i in range(total))
    waiting = sum(is_held(path) for path in (folder / "queue").iterdir()) if (folder / "queue").is_dir() else 0
    return Slots(total=total, busy=busy, waiting=waiting)
