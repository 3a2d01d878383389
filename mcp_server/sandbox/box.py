"""A box: one process tree that the harness starts, times and outlives."""

import os
import selectors
import socket
import time
from contextlib import suppress
from typing import Literal, Self

from lineage_repo.errors import SandboxError
from lineage_repo.model.measurement import Clock
from mcp_server.sandbox import bwrap_args
from mcp_server.sandbox.bwrap import BubblewrapBox
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.cgroup import CGroup
from mcp_server.sandbox.log import BoxLog
from mcp_server.sandbox.process import BoxProcess
from mcp_server.sandbox.unsandboxed import PlainBox

_POLL_S = 0.05
_DRAIN_S = 1.0
"""How long to wait for the end of a dead box's log: a process that left a box without walls may hold it open."""


def backstop(seconds: float, clock: Clock) -> float:
    """Return the wall seconds that a cap on the clock allows: a box capped in CPU seconds gets time to wait in."""
    return seconds if clock == "wall" else 3 * seconds + 10


class Box:
    """One box, from launch to the death of its pid namespace.

    Use it as a context manager: entering sets the box up with the program stopped, leaving kills whatever is left. A
    phase without READY is `release`, `wait`. A phase with READY is `wait_ready`, `go`, `wait`.

    Raises:
        SandboxError: no box can be made here, or something outside ended it.
    """

    def __init__(self, spec: BoxSpec, name: str) -> None:
        """Describe the box; nothing runs yet. `name` is part of its control group's name."""
        self.spec = spec
        self.log = BoxLog()
        self.setup_s = 0.0
        """Wall seconds from launch to READY, or to the release."""
        self.wall_s = 0.0
        """Wall seconds from the start of the clock to the death of the namespace."""
        self.cpu_s: float | None = None
        """CPU seconds of all its processes in the same span; None without a control group."""
        self.exit_status: Literal["ok", "crash", "timeout", "not_ready", "memory", "files"] = "ok"
        """How the box ended; valid after `wait`, or after `wait_ready` returned False."""
        self.exit_code: int | None = None
        """The program's own; minus the signal without walls."""
        self._cgroup = CGroup.create(name, memory_bytes=spec.memory_bytes, processes=spec.processes)
        self._selector = selectors.DefaultSelector()
        self._open: list[int] = []
        self._theirs = [] if spec.dialogue is None else [spec.dialogue]
        self._launched = self._started = 0.0
        self._cpu_before = 0.0
        self._line = b""
        self._poll_at, self._dead = 0.0, False
        self._exceeded: Literal["memory", "files"] | None = None
        self._process: BoxProcess = (
            BubblewrapBox(spec, self._enter, counted=self._counts_memory) if spec.walls else PlainBox(spec, self._enter)
        )

    @property
    def elapsed_s(self) -> float:
        """Seconds on the campaign's clock."""
        return (self.cpu_s or 0.0) if self.spec.clock == "cpu" else self.wall_s

    @property
    def out(self) -> int:
        """Descriptor of the box's /out, readable after its death."""
        return self._process.out

    @property
    def peak_bytes(self) -> int | None:
        """The most memory ever charged to the box; None if memory is not accounted."""
        return self._cgroup.peak_bytes() if self._cgroup else None

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._cgroup:
            self._cgroup.kill()
        self._process.close()
        self._close_theirs()
        self._selector.close()
        for descriptor in self._open:
            with suppress(OSError):
                os.close(descriptor)
        if self._cgroup:
            self._cgroup.close()

    # ---- launch

    def _begin(self) -> None:
        if self.spec.clock == "cpu" and self._cgroup is None:
            raise SandboxError("the campaign's clock counts CPU seconds, but this host gives no control group for them")
        self._launched = time.monotonic()
        log_r, log_w = os.pipe()
        ours, theirs = socket.socketpair()
        self._control = ours.detach()
        control = theirs.detach()
        self._open += [log_r, self._control]
        self._theirs += [log_w, control]
        try:
            self._process.prepare(log_w, control)
        except SandboxError as error:
            os.set_blocking(log_r, False)
            with suppress(BlockingIOError):
                self.log.feed(os.read(log_r, 65536))
            text = self.log.bytes().decode(errors="replace").strip()
            raise SandboxError(f"{error} ({text}): {bwrap_args.suggest_remedy(text)}" if text else str(error)) from None
        for descriptor, source in ((log_r, "log"), (self._control, "control")):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, source)

    def _enter(self) -> None:
        if self._cgroup:
            self._cgroup.enter()

    def _let_go(self) -> None:
        self._selector.register(self._process.let_go(), selectors.EVENT_READ, "death")
        self._close_theirs()

    def _close_theirs(self) -> None:
        """Close our copies of the box's ends, so that its death closes the last one."""
        for descriptor in self._theirs:
            os.close(descriptor)
        self._theirs.clear()

    # ---- run

    def release(self) -> None:
        """Start the program and the clock, for a phase without READY."""
        self._let_go()
        self._start_clock()

    def wait_ready(self) -> bool:
        """Start the program and wait for READY; return False if it died, wrote something else or took too long."""
        self._let_go()
        seconds = self.spec.ready_s or 0.0
        deadline = time.monotonic() + self._wall(seconds)
        while b"\n" not in self._line:
            if self._step(deadline) or self._over(seconds, deadline):
                return self._reject()
        self.setup_s = time.monotonic() - self._launched
        return self._line == b"READY\n" or self._reject()

    def go(self, box_seed: int) -> None:
        """Start the clock and send GO with the box's seed; the data must be in place."""
        self._start_clock()
        with suppress(BrokenPipeError):
            os.write(self._control, f"GO {box_seed}\n".encode())

    def wait(self) -> None:
        """Wait for the death of the pid namespace, or end it at its limits; set `exit_status` and the clocks."""
        deadline = self._started + self._wall(self.spec.limit_s)
        while not self._step(deadline):
            if self._over(self.spec.limit_s, deadline):
                self.exit_status = "timeout"
                break
        self._finish()

    def _wall(self, seconds: float) -> float:
        return backstop(seconds, self.spec.clock)

    def _over(self, seconds: float, deadline: float) -> bool:
        counted = self.spec.clock == "cpu" and self._cpu() - self._cpu_before > seconds
        return counted or time.monotonic() > deadline

    def _start_clock(self) -> None:
        self.setup_s = self.setup_s or time.monotonic() - self._launched
        self._cpu_before = self._cpu()
        self._started = time.monotonic()

    def _cpu(self) -> float:
        return self._cgroup.cpu_seconds() if self._cgroup else 0.0

    def _step(self, deadline: float) -> bool:
        """Handle what happens within a moment; return True once the namespace is dead."""
        for key, _ in self._selector.select(max(0.0, min(_POLL_S, deadline - time.monotonic()))):
            if key.data == "death":
                self.wall_s = time.monotonic() - self._started if self._started else 0.0
                self._dead = True
                self._selector.unregister(key.fd)
            else:
                self._read(key.fd, key.data)
        if not self._dead and self._exceeded is None and time.monotonic() >= self._poll_at:
            self._poll_at = time.monotonic() + _POLL_S
            self._exceeded = self._find_exceeded()
            if self._exceeded:
                self._process.kill()
        return self._dead

    def _find_exceeded(self) -> Literal["memory", "files"] | None:
        """Return a limit that the box has passed and that the kernel does not enforce for us."""
        if self._process.count_files() > self.spec.scratch_files:
            return "files"
        if not self._counts_memory and self._process.memory_in_use() > self.spec.memory_bytes:
            return "memory"
        return None

    @property
    def _counts_memory(self) -> bool:
        """Whether the kernel counts memory, including shared memory and files in memory; else we poll."""
        return self._cgroup is not None and self._cgroup.limits_memory

    def _read(self, descriptor: int, source: str) -> None:
        try:
            chunk = os.read(descriptor, 65536)
        except (BlockingIOError, ConnectionResetError):
            return
        if not chunk:
            self._selector.unregister(descriptor)
        elif source == "log":
            self.log.feed(chunk)
        else:
            self._line = (self._line + chunk)[:64]

    def _reject(self) -> bool:
        self.exit_status = "not_ready"
        self._finish()
        self.setup_s = time.monotonic() - self._launched
        return False

    def _finish(self) -> None:
        """Make sure that everything is dead, then read the clocks and the exit code."""
        died_alone = self._dead
        self._process.kill()
        if self._cgroup and not self.spec.walls:
            self._cgroup.kill()  # with walls bubblewrap is inside too, and still has to report the exit code
        while not self._dead:
            self._step(time.monotonic() + 1)
        if self._started and self._cgroup:
            self.cpu_s = self._cgroup.cpu_seconds() - self._cpu_before
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until and any(key.data == "log" for key in self._selector.get_map().values()):
            self._step(until)
        self.exit_code = self._process.wait()
        if self._exceeded:
            self.exit_status = self._exceeded
        elif self._cgroup and self._cgroup.ran_out_of_memory():
            self.exit_status = "memory"
        elif died_alone and self.exit_code < 0 and self.spec.walls:
            raise SandboxError(f"something outside ended the box by signal {-self.exit_code}")
        elif self.exit_code and (self.exit_status == "ok" or died_alone):
            self.exit_status = "crash"

    def isolation(self) -> dict[str, str]:
        """Describe what isolated this box, for the record: a word for each resource."""
        limits = {"cgroup": self._cgroup.limits if self._cgroup else "none"}
        if not self.spec.walls:
            return limits
        return limits | {
            "network": "none",
            "pids": "namespace",
            "memory": "limited" if self._counts_memory else "polled",
            "calls": "filtered",
            "uid": "own" if self.spec.drops_root else "mapped",
        }
