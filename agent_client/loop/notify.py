"""Notify: run the operator's command on a keep, an alarm and the end, without ever disturbing the run."""

import asyncio
import logging
import os
import shlex
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress

from lineage_repo.errors import CampaignError

TIMEOUT_S = 30.0
_log = logging.getLogger("espalier.run")


class Notifier:
    """Runs one command at a time; a command that does not end in time is killed."""

    def __init__(self, command: str | None, environment: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        self._argv = _split_command(command, environment.get("PATH")) if command else []
        self._environment, self._timeout_s = dict(environment), timeout_s
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, event: str, **facts: object) -> None:
        """Schedule the command for an event; facts that are not None become ESPALIER_ variables."""
        if self._argv:
            variables = {f"ESPALIER_{k.upper()}": str(v) for k, v in {"event": event, **facts}.items() if v is not None}
            task = asyncio.get_running_loop().create_task(self._run(variables))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let running commands end, for as long as one command may take."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._timeout_s + 1)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, variables: dict[str, str]) -> None:
        async with self._turn:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._argv,
                    env=self._environment | variables,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                _log.warning("--notify: %s does not start: %s", self._argv[0], error)
                return
            try:
                code = await asyncio.wait_for(process.wait(), self._timeout_s)
                if code:
                    _log.warning("--notify: %s exits %d on %s", self._argv[0], code, variables["ESPALIER_EVENT"])
            except TimeoutError:
                _log.warning("--notify: %s takes more than %g s and is killed", self._argv[0], self._timeout_s)
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)  # what it started hangs with it
                    await process.wait()


def _split_command(command: str, path: str | None) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise CampaignError(f"--notify {command!r} can't be split into words: {error}") from None
    if not argv or not shutil.which(argv[0], path=path):
        raise CampaignError(f"--notify {command!r}: no such program; name one on PATH or by its path")
    return argv
