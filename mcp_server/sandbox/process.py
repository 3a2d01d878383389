"""How a box's processes start and end."""

import ctypes
import resource
import signal
import subprocess
from collections.abc import Callable
from typing import Protocol

from lineage_repo.errors import SandboxError
from mcp_server.sandbox.bwrap_args import BoxSpec

_PR_SET_PDEATHSIG = 1


class BoxProcess(Protocol):
    """A box's process tree: bubblewrap's, or a plain process group.

    `prepare` sets it up, `let_go` starts the program, `kill` ends what lives, `close` gives everything back. The
    descriptors that `prepare` gets stay open until `let_go` has returned.
    """

    out: int
    """Descriptor of the program's /out, readable after its death."""

    def prepare(self, log: int, control: int) -> None: ...
    def let_go(self) -> int: ...
    def kill(self) -> None: ...
    def wait(self) -> int: ...
    def count_files(self) -> int: ...
    def memory_in_use(self) -> int: ...
    def close(self) -> None: ...


def start(
    argv: list[str],
    spec: BoxSpec,
    enter: Callable[[], None],
    log: int,
    variables: dict[str, str],
    pass_fds: tuple[int, ...],
) -> subprocess.Popen[bytes]:
    """Start a process that dies with us, is born in its control group by `enter`, and has the limits of `spec`.

    Raises:
        SandboxError: the program does not start.
    """

    def confine() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        die_with_parent(signal.SIGKILL)
        enter()
        limits = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NOFILE: 1024,
            resource.RLIMIT_DATA: spec.memory_bytes,
            resource.RLIMIT_FSIZE: spec.scratch_bytes,
        }
        for limit, value in limits.items():
            resource.setrlimit(limit, (value, value))

    # A signal between fork and assignment would lose the child.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables, preexec_fn=confine, pass_fds=pass_fds
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxError(f"{argv[0]} does not start: {error}; `espalier doctor` says what is missing") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def die_with_parent(number: int) -> None:
    """Have the kernel send the calling process the signal `number` when its parent dies; Linux only."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
