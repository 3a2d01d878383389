"""The campaign's `run/` folder: how commands see a running loop and steer it."""

import time
from contextlib import suppress
from pathlib import Path

from lineage_repo.errors import CampaignError
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.json_shape import read_json
from lineage_repo.monitor.run_state import RunState
from lineage_repo.storage import locks


class Control:
    """The files through which commands and the loop talk to each other."""

    def __init__(self, campaign: Path) -> None:
        paths = CampaignPaths(campaign)
        self.campaign, self.folder, self.state = campaign, paths.run, paths.run_state
        self._pause, self._stop = paths.pause, paths.stop

    @property
    def alive(self) -> bool:
        """Whether a loop runs on the campaign."""
        return locks.is_alive(self.folder)

    @property
    def paused(self) -> bool:
        """Whether somebody asked that no new session starts."""
        return self._pause.exists()

    def claim(self, patience_s: float = 2.0) -> int:
        """Lock the campaign for this process and return the lock's descriptor.

        Raises:
            CampaignError: another loop still has the lock after `patience_s` seconds.
        """
        deadline = time.monotonic() + patience_s
        while True:  # a reader that checks whether a loop lives takes the lock for an instant
            try:
                lock = locks.acquire(self.folder)
                self.state.unlink(missing_ok=True)  # an earlier loop's: it would look like ours, gone silent
                self._stop.unlink(missing_ok=True)  # meant for an earlier loop: from now on `stop` means this one
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CampaignError(f"another run holds {self.campaign}: end it first, or wait for it") from None
                time.sleep(0.05)

    def pause(self, on: bool) -> None:
        """Ask the loop to start no new session, or take that back."""
        self.folder.mkdir(exist_ok=True)
        self._pause.touch() if on else self._pause.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask the running loop to end."""
        self._stop.touch()

    def take_stop(self) -> bool:
        """Return whether somebody asked to stop since the last call."""
        with suppress(FileNotFoundError):
            self._stop.unlink()
            return True
        return False

    def read(self) -> RunState | None:
        """Read what the present or the last loop wrote; return None where no loop ever ran or the file is malformed."""
        return read_json(self.state, RunState)
