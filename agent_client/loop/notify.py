"""Notify: run the operator's command on a keep, an alarm and the end; it can never disturb the run."""

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress

from agent_client.loop.progress import Say
from lineage_repo.errors import CampaignError

TIMEOUT_S = 30.0


class Notifier:
    """Runs one command at a time; what does not end in time is killed."""

    def __init__(
        self, command: str | None, environment: Mapping[str, str], say: Say, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._argv = _argv(command, environment.get("PATH")) if command else []
        self._environment, self._say, self._timeout_s = dict(environment), say, timeout_s
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, event: str, **facts: object) -> None:
        """Tell the operator of an event, later; facts become ESPALIER_ variables, those that are None are left out."""
        if self._argv:
            told = {f"ESPALIER_{k.upper()}": str(v) for k, v in {"event": event, **facts}.items() if v is not None}
            task = asyncio.get_running_loop().create_task(self._run(told))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let what is under way end, for as long as one command may take."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._timeout_s + 1)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, facts: dict[str, str]) -> None:
        async with self._turn:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._argv,
                    env=self._environment | facts,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                self._say(f"--notify: {self._argv[0]} does not start: {error}")
                return
            try:
                code = await asyncio.wait_for(process.wait(), self._timeout_s)
                if code:
                    self._say(f"--notify: {self._argv[0]} exits {code} on {facts['ESPALIER_EVENT']}")
            except TimeoutError:
                self._say(f"--notify: {self._argv[0]} takes more than {self._timeout_s:g} s and is killed")
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)  # what it started hangs with it
                    await process.wait()


def _argv(command: str, path: str | None) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise CampaignError(f"--notify {command!r} can't be split into words: {error}") from None
    if not argv or not shutil.which(argv[0], path=path):
        raise CampaignError(f"--notify {command!r}: no such program; name one on PATH or by its path")
    return argv
