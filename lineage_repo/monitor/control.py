"""The campaign's `run/` folder: by it a running loop is seen and steered, and the commands that steer it."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.output import print_lines
from lineage_repo.errors import EspalierError
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
        return locks.is_alive(self.folder)

    @property
    def paused(self) -> bool:
        return self._pause.exists()

    def claim(self, patience_s: float = 2.0) -> int:
        """Take the campaign for this process until it ends; raise `ControlError` where another one has it."""
        deadline = time.monotonic() + patience_s
        while True:  # a reader that looks whether we live holds the lock for an instant
            try:
                held = locks.acquire(self.folder)
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
        return json_shape.read(self.state, _STATE) or {}


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
        print_lines(f"paused: no session starts, {live} go on to their end; `espalier resume {directory}` goes on")
    else:
        print_lines(f"no loop runs on {directory}: the next `espalier run` waits for `espalier resume {directory}`")


@click.command()
@_DIR
def resume(directory: Path) -> None:
    """Take a pause back. A loop that has ended goes on with the same `espalier run` command instead."""
    control = _open(directory)
    was = control.paused
    control.pause(False)
    if not was:
        print_lines(f"{directory} was not paused")
    elif control.alive:
        print_lines("resumed: the loop starts sessions again")
    else:
        print_lines(f"the pause is gone, but no loop runs on {directory}: `espalier run {directory}` starts one")


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
    print_lines("stopping: sessions end within seconds, trials that run go on and are recorded")
