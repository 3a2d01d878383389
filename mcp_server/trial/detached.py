"""Detached runners: processes that own one trial or one proof and outlive whoever asked for it."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from lineage_repo.errors import RecordError
from lineage_repo.model.paths import TrialPaths
from lineage_repo.record.campaign import Campaign
from mcp_server.sandbox.host import Host, own_environment

_Recorded = TypeVar("_Recorded")
_RETRIES, _RETRY_S = 60, 10.0
"""Ten minutes in which a full disk may get room again."""


def launch(module: str, campaign: Campaign, number: int, paths: TrialPaths, host: Host, lock: int) -> None:
    """Start `python -I -m MODULE CAMPAIGN NUMBER HOST` in a session of its own.

    It inherits the descriptor `lock`, the lock on the folder, and frees it by ending.
    """
    with paths.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", module, str(campaign.folder), str(number), host.model_dump_json()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock],
            cwd=paths.folder,
            env=own_environment(host),
        )
    # It outlives us on purpose, so nobody waits for it. Without a return code its collection would warn.
    process.returncode = 0


def insist(what: str, record: Callable[[], _Recorded]) -> _Recorded:
    """Return what `record` returns; wait for a full disk or a held lock, since the measurement is already paid for.

    Raises:
        RecordError, OSError: it failed for ten minutes.
    """
    for retries_left in range(_RETRIES, -1, -1):
        try:
            return record()
        except (RecordError, OSError):
            logging.getLogger("espalier.trial").exception("%s could not be recorded", what)
            if retries_left == 0:
                raise
            time.sleep(_RETRY_S)
    raise AssertionError
