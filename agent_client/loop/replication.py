"""The last replication: at the end of a run, whatever the head has gained since its last proof is tested."""

import asyncio
import logging
import sys
from contextlib import suppress

from agent_client.session.claude_options import Access
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign

_TAIL = 2000
_NOT_PROVEN = 3
"""Exit status of a replication that did not pass."""
_MOST = 3
"""Replications at the end of one run; each is of a head that trials of this run moved."""
_log = logging.getLogger("espalier.run")


class LastReplication:
    """Runs `espalier replicate` until nothing is left to test; a replication is detached, like a trial."""

    def __init__(self, campaign: Campaign, access: Access) -> None:
        self._campaign, self._access = campaign, access
        self._task: asyncio.Task[None] | None = None
        self._started = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to test, or the test has ended; a call starts it."""
        if self._task and not self._task.done():
            return False
        lineage = self._campaign.lineage.refresh()
        if lineage.running_proof() is None and not (lineage.standing and lineage.standing.moves):
            return True
        if self._started >= _MOST:
            return True
        self._started += 1
        report_progress("no session runs any more: the head is tested on fresh seeds")
        self._task = asyncio.create_task(self._run())
        return False

    async def _run(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "lineage_repo.cli.main", "replicate", str(self._campaign.folder)),
            "--if-needed",
            env=dict(self._access.server),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, errors = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
        if process.returncode not in {0, _NOT_PROVEN}:
            _log.warning("the head could not be tested: %s", errors.decode("utf-8", "replace")[-_TAIL:])

    async def close(self) -> None:
        """Stop waiting; the replication goes on and is recorded."""
        if self._task and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
