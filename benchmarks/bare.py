"""Runs a timed phase without harness and box: the program and a parent that says GO. Used by gpu_airbench."""

import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_WAIT_S = 1200.0


class Bare(NamedTuple):
    """How long one such run took."""

    ready_s: float
    """From launch to READY."""
    elapsed_s: float
    """From GO to the end of the program."""
    out: Path
    """Folder with the files that it wrote."""


def run(python: Path, program: Path, inputs: Iterable[Path], folder: Path, seed: int) -> Bare:
    """Run a program with empty caches and deliver its inputs at GO, as a box has them.

    Raises:
        RuntimeError: it ended without READY or with a nonzero status; the message has the end of its log.
    """
    data, out, home = (folder / name for name in ("data", "out", "home"))
    for path in (data, out, home):
        path.mkdir(parents=True)
    ours, theirs = socket.socketpair()
    ours.settimeout(_WAIT_S)
    environment = {
        "PATH": f"{python.parent}:{os.defpath}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "ESPALIER_CONTROL": str(theirs.fileno()),
        "ESPALIER_DATA": str(data),
        "ESPALIER_OUT": str(out),
    }
    log, begun = folder / "log", time.monotonic()
    with ours, log.open("wb") as output:
        process = subprocess.Popen(
            [python, program],
            cwd=out,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        try:
            word = ours.recv(64)
            ready = time.monotonic()
            for path in inputs:
                shutil.copyfile(path, data / path.name)
            going = time.monotonic()
            if word == b"READY\n":
                ours.sendall(f"GO {seed}\n".encode())
                _wait_for(process.pid)
            ended = time.monotonic()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # compilers leave helpers behind
            status = process.wait()
    if status or word != b"READY\n":
        end = log.read_text("utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{program} exited {status} after {word!r}: {end}")
    return Bare(ready - begun, ended - going, out)


def _wait_for(pid: int) -> None:
    """Wait for the end of a process without the polling of `Popen.wait` with a timeout."""
    watched = os.pidfd_open(pid)
    try:
        select.select([watched], [], [], _WAIT_S)
    finally:
        os.close(watched)
