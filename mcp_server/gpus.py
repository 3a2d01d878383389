"""GPUs: which of this host's a trial may use, each held by one trial at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mcp_server.host import Host
from mcp_server.launch import SandboxError
from mcp_server.sandbox import DEVICES


@contextmanager
def leased(host: Host, count: int) -> Generator[tuple[int, ...]]:
    """Numbers of `count` GPUs that are this process's until it leaves or dies; raise `SandboxError` where they lack."""
    present = sorted(int(p.name[6:]) for p in DEVICES.glob("nvidia[0-9]*") if p.name[6:].isdigit())
    with ExitStack() as held:
        free: list[int] = []
        for number in present:
            if len(free) < count and _lock(held, host.state / "gpus", number):
                free.append(number)
        if len(free) < count:
            raise SandboxError(
                f"the task asks for {count} GPUs; of this host's {len(present)} only {len(free)} are free: "
                "lower `slots` in host.toml, or run the campaign where there are more"
            )
        yield tuple(free)


def _lock(held: ExitStack, folder: Path, number: int) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
