"""The campaign's `run/` folder: by it a running loop is seen and steered, and the commands that steer it."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.terminal import tell
from lineage_repo.errors import EspalierError
from lineage_repo.monitor import shape
from lineage_repo.storage import claims

_STATE = {
    "pid": int,
    "began": shape.moment,
    "at": shape.moment,
    "reason": (str, None),
    "detail": str,
    "plan": {
        "trials": (int, None),
        "hours": shape.number,
        "no_improvement_hours": shape.number,
        "usd": (shape.number, None),
    },
    "usd": shape.number,
    "hours": shape.number,
    "hours_since_keep": shape.number,
    "longest_trial_s": shape.number,
    "live": [
        {
            "specialist": str,
            "doing": str,
            "turns": int,
            "tokens": int,
            "since": shape.moment,
            "heard": shape.moment,
        }
    ],
    "waiting": [{"specialist": str, "until": shape.moment, "why": str}],
    "ended": [{"failed": bool, "reason": str, "error": (str, None)}],
}
"""What readers of `run/state.json` rely on."""


class ControlError(EspalierError):
    """A loop that can't be steered or started as asked; the message says why and what to do."""


class Control:
    """The files by which commands and the loop meet; the only place that spells them."""

    def __init__(self, campaign: Path) -> None:
        self.campaign, self.folder = campaign, campaign / "run"
        self.state = self.folder / "state.json"
        self._pause, self._stop = self.folder / "pause", self.folder / "stop"

    @property
    def alive(self) -> bool:
        """Whether a loop holds the campaign."""
        return claims.alive(self.folder)

    @property
    def paused(self) -> bool:
        return self._pause.exists()

    def claim(self, patience_s: float = 2.0) -> int:
        """Take the campaign for this process until it ends; raise `ControlError` where another one has it."""
        deadline = time.monotonic() + patience_s
        while True:  # a reader that looks whether we live holds the lock for an instant
            try:
                held = claims.claim(self.folder)
                self.state.unlink(missing_ok=True)  # an earlier loop's, which would look like ours gone silent
                self._stop.unlink(missing_ok=True)  # meant for an earlier loop: from here on `stop` means us
                return held
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ControlError(f"another run holds {self.campaign}: end it first, or wait for it") from None
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
        return shape.read(self.state, _STATE) or {}


def _open(directory: Path) -> Control:
    if not (directory / "campaign.toml").is_file():
        raise ControlError(f"{directory} is no campaign; `espalier init {directory} --task NAME` makes one")
    return Control(directory)


_DIR = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@_DIR
def pause(directory: Path) -> None:
    """Start no new sessions; those that are held go on to their end. Paused time counts against no cap."""
    control = _open(directory)
    control.pause(True)
    if control.alive:
        live = len(control.read().get("live", []))
        tell(f"paused: no session starts, {live} go on to their end; `espalier resume {directory}` goes on")
    else:
        tell(f"no loop runs on {directory}: the next `espalier run` waits for `espalier resume {directory}`")


@click.command()
@_DIR
def resume(directory: Path) -> None:
    """Take a pause back. A loop that has ended goes on with the same `espalier run` command instead."""
    control = _open(directory)
    was = control.paused
    control.pause(False)
    if not was:
        tell(f"{directory} was not paused")
    elif control.alive:
        tell("resumed: the loop starts sessions again")
    else:
        tell(f"the pause is gone, but no loop runs on {directory}: `espalier run {directory}` starts one")


@click.command()
@_DIR
def stop(directory: Path) -> None:
    """End a running loop as SIGTERM does: its sessions are interrupted, its trials go on and are recorded.

    A second call cuts the sessions off. The same `espalier run` command goes on later.
    """
    control = _open(directory)
    if not control.alive:
        raise ControlError(f"no loop runs on {directory}: there is nothing to stop")
    control.stop()
    tell("stopping: sessions end within seconds, trials that run go on and are recorded")
