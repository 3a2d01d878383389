"""The executor seam: an engine gets a job folder and a command line, and the folder's outcome file is the truth."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from lineage_repo.errors import EspalierError
from lineage_repo.model.measurement import Isolation, Record
from lineage_repo.monitor.host_slots import QUEUED
from mcp_server.sandbox.host import Host, own_environment
from mcp_server.sandbox.parent import die_with_parent
from mcp_server.sandbox.selftest import SelfTest
from mcp_server.trial.job import Job
from mcp_server.trial.queue import Ticket

_GRACE_S = 5.0
"""A worker needs a moment to end its boxes."""


class State(Record):
    """Where an engine says that a job is; never proof of success."""

    phase: Literal["queued", "running", "ended"]
    detail: str = ""


class Executor(Protocol):
    """Four methods; `submit` is idempotent on the job's folder."""

    def submit(self, job: Job) -> None: ...
    def poll(self, job: Job) -> State: ...
    def cancel(self, job: Job) -> None: ...
    def check(self, required: Isolation) -> str | None: ...


def _tie(parent: int) -> None:
    """Between fork and exec: end with the runner. A signal that the worker can catch lets it end its boxes and remove
    hidden data; the kernel's own way from a killed process to its boxes leaves some behind."""
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


class LocalExecutor:
    """The slots of this host, with the worker as a child process."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._tickets: dict[Path, Ticket] = {}
        self._workers: dict[Path, subprocess.Popen[bytes]] = {}

    def submit(self, job: Job) -> None:
        """Join the queue."""
        if job.folder not in self._tickets:
            self._tickets[job.folder] = Ticket(self.host.state / "slots", self.host.slots)

    def poll(self, job: Job) -> State:
        """Move the job on: from the queue to a worker, from a worker to its end."""
        worker = self._workers.get(job.folder)
        if worker is None:
            if ahead := self._tickets[job.folder].position():
                return State(phase="queued", detail=f"{QUEUED}, {ahead} ahead")
            # The slot stays taken until the worker is dead, also when we die first.
            slot, parent = self._tickets[job.folder].slot, os.getpid()
            with job.log.open("ab") as log:
                worker = subprocess.Popen(
                    [sys.executable, "-I", "-m", "mcp_server.trial.worker", str(job.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=own_environment(self.host),
                    cwd=job.folder,
                    pass_fds=[slot],
                    preexec_fn=lambda: _tie(parent),
                )
            self._workers[job.folder] = worker
        if worker.poll() is None:
            with suppress(FileNotFoundError):
                return State(phase="running", detail=job.progress.read_text("utf-8"))
            return State(phase="running", detail="starting")
        self._tickets[job.folder].release()
        return State(phase="ended", detail=f"the worker exited {worker.returncode}")

    def cancel(self, job: Job) -> None:
        """Kill the worker, and with it every box; a queued job leaves the queue."""
        worker = self._workers.get(job.folder)
        if worker and worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        if ticket := self._tickets.get(job.folder):
            ticket.release()

    def check(self, required: Isolation) -> str | None:
        """Why this host can't measure at the isolation required, with the remedy; None when it can."""
        try:
            return None if required == "none" else SelfTest.run(self.host).below(required)
        except EspalierError as error:
            return str(error)
