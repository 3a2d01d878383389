"""A box with walls: bubblewrap, stopped before the program begins."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from lineage_repo.errors import SandboxError
from mcp_server.sandbox import bwrap_args, seccomp
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.cgroup import memory_in_use
from mcp_server.sandbox.process import start

_TMPFS_MAGIC = 0x01021994


class BubblewrapBox:
    """One bubblewrap; the box ends with the death of its pid namespace."""

    def __init__(self, spec: BoxSpec, enter: Callable[[], None], *, counted: bool) -> None:
        self._spec, self._enter, self._counted = spec, enter, counted
        self._open: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = self._init = self.out = -1
        self._scratch: list[int] = []

    def prepare(self, log: int, control: int) -> None:
        """Start bubblewrap, wait until its box stands, and pin the scratch folders from outside."""
        info_r, info_w = self._pipe()
        block_r, self._go = self._pipe()
        arguments = self._memory(b"\0".join(os.fsencode(a) for a in bwrap_args.arguments(self._spec, control)) + b"\0")
        calls = self._memory(seccomp.program(counted=self._counted))
        # sync-fd keeps the write end of block-fd open inside bubblewrap: our death must not read as "go". The arguments
        # go through a file: the program can read its init's command line, which would name host paths.
        names = {
            "--info-fd": info_w,
            "--sync-fd": self._go,
            "--block-fd": block_r,
            "--seccomp": calls,
            "--args": arguments,
        }
        argv = [self._spec.bwrap, *(str(part) for flag in names.items() for part in flag)]
        self._process = start(
            [*argv, "--", *bwrap_args.program(self._spec)],
            self._spec,
            self._enter,
            log,
            {},
            (*names.values(), *bwrap_args.inherited(self._spec, control)),
        )
        for descriptor in (info_w, block_r, calls, arguments):
            self._close(descriptor)
        self._pid = self._read_info(info_r)
        self._init = os.pidfd_open(self._pid)
        # The kernel counts processes per user of a user namespace. Set on its init, which the program could rewrite.
        resource.prlimit(self._pid, resource.RLIMIT_NPROC, (self._spec.processes, self._spec.processes))
        self._open.append(self._init)
        self._scratch = self._pin()
        self.out = self._scratch[0]

    def let_go(self) -> int:
        """Let the program begin; return a descriptor that is readable once the pid namespace is dead."""
        os.write(self._go, b"x")
        self._close(self._go)
        return self._init

    def kill(self) -> None:
        """Kill the namespace's init, and with it everything inside."""
        if self._init >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def wait(self) -> int:
        """Return the program's exit code, which bubblewrap passes on."""
        return self._process.wait() if self._process else 0

    def count_files(self) -> int:
        """Count the files in all scratch folders together."""
        sizes = [os.fstatvfs(descriptor) for descriptor in self._scratch]
        return sum(size.f_files - size.f_ffree for size in sizes)

    def memory_in_use(self) -> int:
        """Return the bytes in use, for a box whose memory no control group counts."""
        return memory_in_use(self._pid)

    def close(self) -> None:
        """End bubblewrap and close every descriptor."""
        if self._process and self._process.poll() is None:
            self.kill()
            self._process.kill()
            self._process.wait()
        for descriptor in self._open:
            with suppress(OSError):
                os.close(descriptor)

    def _read_info(self, info: int) -> int:
        raw = b""
        while b"}" not in raw:
            if not (chunk := os.read(info, 4096)):
                raise SandboxError("bubblewrap could not set up a box")
            raw += chunk
        return int(json.loads(raw)["child-pid"])

    def _pin(self) -> list[int]:
        """Open the scratch folders once the box's root is in place; the descriptors outlive the box."""
        reason = "its /out never appeared"
        for _ in range(2000):
            try:
                if folders := self._open_scratch():
                    return folders
            except OSError as error:
                reason = f"its /out never appeared: {error}"
            if self._process and self._process.poll() is not None:
                break
            time.sleep(0.001)
        raise SandboxError(f"bubblewrap set up no box: {reason}")

    def _open_scratch(self) -> list[int]:
        """Open the scratch folders; return none while they are still the host's."""
        with ExitStack() as closed, ExitStack() as closed_unless_ours:
            root = os.open(f"/proc/{self._pid}/root", os.O_PATH | os.O_DIRECTORY)
            closed.callback(os.close, root)
            folders: list[int] = []
            for path in bwrap_args.SCRATCH:
                folders.append(_open_folder(root, path))
                closed_unless_ours.callback(os.close, folders[-1])
            # Before bubblewrap pivots these would be the host's: only a tmpfs of the requested size is the box's.
            if not all(self._is_ours(folder) for folder in folders):
                return []
            closed_unless_ours.pop_all()
            self._open += folders
        return folders

    def _is_ours(self, folder: int) -> bool:
        size = os.fstatvfs(folder)
        return size.f_blocks * size.f_frsize == _round_to_pages(self._spec.scratch_bytes) and _is_tmpfs(folder)

    def _memory(self, body: bytes) -> int:
        descriptor = os.memfd_create("espalier")
        self._open.append(descriptor)
        os.write(descriptor, body)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def _close(self, descriptor: int) -> None:
        os.close(descriptor)
        self._open.remove(descriptor)


def _open_folder(root: int, path: str) -> int:
    return os.open(path.strip("/"), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)


def _round_to_pages(size: int) -> int:
    page = os.sysconf("SC_PAGESIZE")
    return -(-size // page) * page


def _is_tmpfs(descriptor: int) -> bool:
    buffer = ctypes.create_string_buffer(256)
    return (
        ctypes.CDLL(None).fstatfs(descriptor, buffer) == 0 and ctypes.c_long.from_buffer(buffer).value == _TMPFS_MAGIC
    )
