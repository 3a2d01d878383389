"""A box: one bubblewrap process tree that the harness starts, times and outlives."""

import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import Literal, Self

from lineage_repo.errors import EspalierError
from mcp_server import memory, seccomp
from mcp_server.boxlog import BoxLog
from mcp_server.cgroup import CGroup
from mcp_server.parent import die_with_parent
from mcp_server.sandbox import BOX_UID, BoxSpec, arguments, program

_TMPFS_MAGIC = 0x01021994
_POLL_S = 0.05


class SandboxError(EspalierError):
    """The sandbox itself failed: the harness's fault, never the recipe's."""


class Box:
    """One box, from launch to the death of its pid namespace.

    Use as a context manager: leaving it kills whatever is left. `release` starts a phase without READY;
    `wait_ready` and `go` are for a phase with it; `wait` ends both.
    """

    def __init__(self, spec: BoxSpec, name: str) -> None:
        self.spec = spec
        self.log = BoxLog()
        self.out = -1
        """Descriptor of the box's /out, readable after its death."""
        self.setup_s = self.wall_s = 0.0
        self.cpu_s: float | None = None
        self.verdict: Literal["ok", "crash", "timeout", "not_ready", "memory"] = "ok"
        self.exit_code: int | None = None
        self._cgroup = CGroup.create(name, memory_bytes=spec.memory_bytes, processes=spec.processes)
        self._selector = selectors.DefaultSelector()
        self._open: list[int] = []
        self._init = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._launched = self._started = 0.0
        self._cpu_before = 0.0
        self._line = b""
        self._poll_at, self._too_much, self._dead = 0.0, False, False

    @property
    def seconds(self) -> float:
        """What the campaign's clock says."""
        return (self.cpu_s or 0.0) if self.spec.clock == "cpu" else self.wall_s

    @property
    def peak_bytes(self) -> int | None:
        return self._cgroup.peak_bytes() if self._cgroup else None

    def __enter__(self) -> Self:
        try:
            self._launch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._cgroup:
            self._cgroup.kill()
        if self._process and self._process.poll() is None:
            self._kill()
            self._process.kill()
            self._process.wait()
        self._selector.close()
        for descriptor in self._open:
            with suppress(OSError):
                os.close(descriptor)
        if self._cgroup:
            self._cgroup.close()

    # ---- launch

    def _launch(self) -> None:
        if self.spec.clock == "cpu" and self._cgroup is None:
            raise SandboxError("the campaign's clock counts CPU seconds, but this host gives no control group for them")
        self._launched = time.monotonic()
        info_r, info_w = self._pipe()
        block_r, self._block_w = self._pipe()
        log_r, log_w = self._pipe()
        ours, theirs = socket.socketpair()
        self._control = ours.detach()
        control = theirs.detach()
        self._open += [self._control, control]
        # sync-fd keeps the write end of block-fd open inside bwrap: our death must not read as "go".
        flags = ["--info-fd", str(info_w), "--sync-fd", str(self._block_w), "--block-fd", str(block_r)]
        calls = self._filter()
        flags += ["--seccomp", str(calls)]
        argv = [*arguments(self.spec, control), *flags, "--", *program(self.spec)]
        # A signal between fork and assignment would lose the child.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log_w,
                stderr=log_w,
                close_fds=True,
                env={},
                preexec_fn=self._confine,
                pass_fds=[info_w, block_r, self._block_w, control, calls],
            )
        except OSError as error:
            raise SandboxError(
                f"{self.spec.bwrap} does not start: {error}; `espalier doctor` says what is missing"
            ) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        for descriptor in (info_w, block_r, log_w, control, calls):
            self._close(descriptor)
        self._read_info(info_r, log_r)
        for descriptor, what in ((log_r, "log"), (self._init, "death"), (self._control, "control")):
            os.set_blocking(descriptor, False) if what != "death" else None
            self._selector.register(descriptor, selectors.EVENT_READ, what)
        self.out = self._pin_out()

    def _filter(self) -> int:
        """The system call filter as a file that bubblewrap reads."""
        descriptor = os.memfd_create("calls")
        os.write(descriptor, seccomp.program(memfd=self._counted))
        os.lseek(descriptor, 0, os.SEEK_SET)
        self._open.append(descriptor)
        return descriptor

    def _confine(self) -> None:
        """Between fork and exec: die with the harness, be born in the control group, take the limits."""
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        die_with_parent(signal.SIGKILL)
        if self._cgroup:
            self._cgroup.enter()
        for limit, value in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 1024),
            (resource.RLIMIT_DATA, self.spec.memory_bytes),
            (resource.RLIMIT_FSIZE, self.spec.scratch_bytes),
        ):
            resource.setrlimit(limit, (value, value))

    def _read_info(self, info: int, log: int) -> None:
        raw = b""
        while b"}" not in raw:
            if not (chunk := os.read(info, 4096)):
                while chunk := os.read(log, 65536):
                    self.log.feed(chunk)
                raise SandboxError(
                    f"bubblewrap could not set up a box: {self.log.bytes().decode(errors='replace').strip()}"
                )
            raw += chunk
        self._pid = int(json.loads(raw)["child-pid"])
        self._init = os.pidfd_open(self._pid)
        self._open.append(self._init)

    def _pin_out(self) -> int:
        """Open the box's /out from outside once its root is in place; the descriptor outlives the box."""
        for _ in range(2000):
            with suppress(OSError):
                root = os.open(f"/proc/{self._pid}/root", os.O_PATH | os.O_DIRECTORY)
                try:
                    found = os.open("out", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
                finally:
                    os.close(root)
                size = os.fstatvfs(found)
                # Before bwrap pivots, /out would be the host's: only a tmpfs of the asked size is the box's.
                if size.f_blocks * size.f_frsize == _pages(self.spec.scratch_bytes) and _is_tmpfs(found):
                    self._open.append(found)
                    return found
                os.close(found)
            if self._process and self._process.poll() is not None:
                break
            time.sleep(0.001)
        raise SandboxError("bubblewrap set up no box: its /out never appeared")

    # ---- run

    def release(self) -> None:
        """Let the program start, the clock with it; for a phase without READY."""
        self._let_go()
        self._start_clock()

    def wait_ready(self) -> bool:
        """Let the program start and wait for READY; False when it died or took longer than `ready_s`."""
        self._let_go()
        deadline = time.monotonic() + (self.spec.ready_s or 0.0)
        while b"\n" not in self._line:
            if self._step(deadline) or time.monotonic() > deadline:
                return self._reject()
        self.setup_s = time.monotonic() - self._launched
        return self._line == b"READY\n" or self._reject()

    def go(self, seed: int) -> None:
        """Start the clock and send GO; the data is in place by now."""
        self._start_clock()
        with suppress(BrokenPipeError):
            os.write(self._control, f"GO {seed}\n".encode())

    def wait(self) -> None:
        """Wait for the death of the pid namespace, or end it at its limits; sets `verdict` and the clocks."""
        spec = self.spec
        # CPU seconds can't pass faster than one per core; the wall is a backstop for a box that sleeps.
        wall = spec.seconds if spec.clock == "wall" else 3 * spec.seconds + 10
        deadline = self._started + wall
        while not self._step(deadline):
            over = time.monotonic() > deadline or (
                spec.clock == "cpu" and self._cpu() - self._cpu_before > spec.seconds
            )
            if over:
                self.verdict = "timeout"
                break
        self._finish()

    def _let_go(self) -> None:
        os.write(self._block_w, b"x")
        self._close(self._block_w)

    def _start_clock(self) -> None:
        self.setup_s = self.setup_s or time.monotonic() - self._launched
        self._cpu_before = self._cpu()
        self._started = time.monotonic()

    def _cpu(self) -> float:
        return self._cgroup.cpu_seconds() if self._cgroup else 0.0

    def _step(self, deadline: float) -> bool:
        """Handle what happens within a moment; True once the namespace is dead."""
        for key, _ in self._selector.select(max(0.0, min(_POLL_S, deadline - time.monotonic()))):
            if key.data == "death":
                self.wall_s = time.monotonic() - (self._started or self._launched)
                self._dead = True
                self._selector.unregister(key.fd)
            else:
                self._take(key.fd, key.data)
        if not self._dead and not self._counted and time.monotonic() >= self._poll_at:
            self._poll_at = time.monotonic() + _POLL_S
            if memory.in_use(self._pid) > self.spec.memory_bytes:
                self._too_much = True
                self._kill()
        return self._dead

    @property
    def _counted(self) -> bool:
        """Whether the kernel counts memory, shared and in-memory files included; else we poll."""
        return self._cgroup is not None and self._cgroup.limits_memory

    def _take(self, descriptor: int, what: str) -> None:
        try:
            chunk = os.read(descriptor, 65536)
        except (BlockingIOError, ConnectionResetError):
            return
        if not chunk:
            self._selector.unregister(descriptor)
        elif what == "log":
            self.log.feed(chunk)
        else:
            self._line = (self._line + chunk)[:64]

    def _reject(self) -> bool:
        self.verdict = "not_ready"
        self._finish()
        return False

    def _finish(self) -> None:
        """Make sure that everything is dead, then read the clocks and the exit code."""
        died = self._dead
        if not died:
            self._kill()
            while not self._step(time.monotonic() + 1):
                pass
        if self._started and self._cgroup:
            self.cpu_s = self._cgroup.cpu_seconds() - self._cpu_before
        while any(key.data == "log" for key in self._selector.get_map().values()):
            before = self.log.total
            self._step(time.monotonic() + 0.2)
            if self.log.total == before:
                break
        if self._process:
            self.exit_code = self._process.wait()
        if self._too_much or (self._cgroup and self._cgroup.out_of_memory()):
            self.verdict = "memory"
        elif died and self.exit_code is not None and self.exit_code < 0:
            raise SandboxError(f"something outside ended the box by signal {-self.exit_code}")
        elif self.exit_code and (self.verdict == "ok" or died):
            self.verdict = "crash"

    def _kill(self) -> None:
        if self._init >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def _close(self, descriptor: int) -> None:
        os.close(descriptor)
        self._open.remove(descriptor)

    def isolation(self) -> dict[str, str]:
        """What this box was held by, for the record."""
        limits = self._cgroup.limits if self._cgroup else "none"
        return {
            "level": "bwrap",
            "network": "none",
            "pids": "namespace",
            "cgroup": limits,
            "memory": "limited" if self._counted else "polled",
            "calls": "filtered",
            "uid": str(BOX_UID) if self.spec.drops_root else "mapped",
        }


def _pages(size: int) -> int:
    page = os.sysconf("SC_PAGESIZE")
    return -(-size // page) * page


def _is_tmpfs(descriptor: int) -> bool:
    buffer = ctypes.create_string_buffer(256)
    return (
        ctypes.CDLL(None).fstatfs(descriptor, buffer) == 0 and ctypes.c_long.from_buffer(buffer).value == _TMPFS_MAGIC
    )
