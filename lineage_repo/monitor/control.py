"""The campaign's `run/` folder: by it a running loop is seen and steered, and the commands that steer it."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from lineage_repo.errors import CampaignError
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor import json_shape
from lineage_repo.storage import locks

_STATE = {
    "pid": int,
    "began": json_shape.moment,
    "at": json_shape.moment,
    "reason": (str, None),
    "detail": str,
    "plan": {
        "trials": (int, None),
        "hours": json_shape.number,
        "no_improvement_hours": json_shape.number,
        "usd": (json_shape.number, None),
    },
    "usd": json_shape.number,
    "hours": json_shape.number,
    "hours_since_keep": json_shape.number,
    "longest_trial_s": json_shape.number,
    "live": [
        {
            "specialist": str,
            "doing": str,
            "turns": int,
            "tokens": int,
            "since": json_shape.moment,
            "heard": json_shape.moment,
        }
    ],
    "waiting": [{"specialist": str, "until": json_shape.moment, "why": str}],
    "ended": [{"failed": bool, "reason": str, "error": (str, None)}],
}
"""What readers of `run/state.json` rely on."""


class Control:
    """The files by which commands and the loop meet."""

    def __init__(self, campaign: Path) -> None:
        paths = CampaignPaths(campaign)
        self.campaign, self.folder, self.state = campaign, paths.run, paths.run_state
        self._pause, self._stop = paths.pause, paths.stop

    @property
    def alive(self) -> bool:
        """Whether a loop holds the campaign."""
        return locks.is_alive(self.folder)

    @property
    def paused(self) -> bool:
        return self._pause.exists()

    def claim(self, patience_s: float = 2.0) -> int:
        """Take the campaign for this process until it ends; raise `CampaignError` where another one has it."""
        deadline = time.monotonic() + patience_s
        while True:  # a reader that looks whether we live holds the lock for an instant
            try:
                held = locks.acquire(self.folder)
                self.state.unlink(missing_ok=True)  # an earlier loop's, which would look like ours gone silent
                self._stop.unlink(missing_ok=True)  # meant for an earlier loop: from here on `stop` means us
                return held
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CampaignError(f"another run holds {self.campaign}: end it first, or wait for it") from None
                time.sleep(0.05)

    def pause(self, on: bool) -> None:
        self.folder.mkdir(exist_ok=True)
        self._pause.touch() if on else self._pause.unlink(missing_ok=True)

    def stop(self) -> None:
        self._stop.touch()

    def take_stop(self) -> bool:
        """Whether somebody asked to stop since the last call."""
        with suppress(FileNotFoundError):
            self._stop.unlink()
            return True
        return False

    def read(self) -> dict[str, Any]:
        """What the present or last loop said of itself; empty where none ever ran."""
        return json_shape.read(self.state, _STATE) or {}
