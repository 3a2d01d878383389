"""The executor seam: an engine gets a job's folder and a command line, and the folder's `result.json` is the truth."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from lineage_repo.errors import EspalierError, HostError
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Isolation, Record
from lineage_repo.monitor.host_slots import QUEUED
from lineage_repo.record.campaign import Campaign
from mcp_server.sandbox.gpus import missing_gpus
from mcp_server.sandbox.host import Host, own_environment
from mcp_server.sandbox.process import die_with_parent
from mcp_server.sandbox.selftest import SelfTest
from mcp_server.trial.job import Job
from mcp_server.trial.queue import Ticket

_GRACE_S = 5.0
"""A worker needs a moment to end its boxes."""


class State(Record):
    """Where an engine says that a job is; never proof of success."""

    phase: Literal["queued", "running", "ended"]
    detail: str = ""
    """One line for people: the place in the queue, the worker's progress, or how the worker ended."""


class Executor(Protocol):
    """An engine that runs staged jobs. One executor may hold several jobs; it identifies each by its folder.

    The worker that an engine starts writes `result.json` once, atomically. Success is read from that file alone, so an
    engine may lose a job, run it twice or lie about it, and no score changes.
    """

    @property
    def host(self) -> Host:
        """The configuration under which workers run: interpreters, bubblewrap, slots, locks."""
        ...

    def submit(self, job: Job) -> None:
        """Take a staged job; submitting it again changes nothing."""
        ...

    def poll(self, job: Job) -> State:
        """Move a submitted job on and return where it is, without waiting.

        Raises:
            KeyError: the job was never submitted.
        """
        ...

    def cancel(self, job: Job) -> None:
        """End the job and every process of it before returning; an ended or unknown job is left alone."""
        ...

    def check(self, required: Isolation, task: Task) -> str | None:
        """Return why workers here can't measure `task` at this isolation, with the remedy; None if they can."""
        ...


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
        """Move the job from the queue to a worker, and from a worker to its end."""
        worker = self._workers.get(job.folder)
        if worker is None:
            if ahead := self._tickets[job.folder].position():
                return State(phase="queued", detail=f"{QUEUED}, {ahead} ahead")
            worker = self._workers[job.folder] = self._start(job)
        if worker.poll() is None:
            with suppress(FileNotFoundError):
                return State(phase="running", detail=job.progress.read_text("utf-8"))
            return State(phase="running", detail="starting")
        self._tickets[job.folder].release()
        return State(phase="ended", detail=f"the worker exited {worker.returncode}")

    def _start(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the worker; it inherits the slot's lock, so the slot stays taken until the worker is dead."""
        slot, parent = self._tickets[job.folder].slot, os.getpid()
        with job.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-m", "mcp_server.trial.worker", str(job.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=own_environment(self.host),
                cwd=job.folder,
                pass_fds=[slot],
                preexec_fn=lambda: _tie_to(parent),
            )

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

    def check(self, required: Isolation, task: Task) -> str | None:
        """Test the sandbox and count the GPUs; return what is missing, with the remedy."""
        try:
            problem = None if required == "none" else SelfTest.run(self.host).below(required)
        except EspalierError as error:
            return str(error)
        return problem or missing_gpus(task)


def require(executor: Executor, campaign: Campaign) -> None:
    """Check that an executor can measure a campaign.

    Raises:
        HostError: boxes are isolated by less than the campaign requires, or GPUs are missing.
    """
    if problem := executor.check(campaign.settings.isolation, campaign.task):
        raise HostError(problem)


def _tie_to(parent: int) -> None:
    """Between fork and exec: end with the runner. A signal that the worker can catch lets it end its boxes and remove
    hidden data; the kernel's own way from a killed process to its boxes leaves some behind."""
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
