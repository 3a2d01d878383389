"""GPUs: which of this host's a trial may use, each held by one trial at a time."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from mcp_server.host import Host
from mcp_server.launch import SandboxError
from mcp_server.sandbox import DEVICES
from mcp_server.slots import lock


@contextmanager
def leased(host: Host, count: int) -> Generator[tuple[int, ...]]:
    """Numbers of `count` GPUs that are this process's until it leaves or dies; raise `SandboxError` where they lack."""
    present = sorted(int(p.name[6:]) for p in DEVICES.glob("nvidia[0-9]*") if p.name[6:].isdigit())
    with ExitStack() as held:
        free: list[int] = []
        folder = host.state / "gpus"
        if count:
            folder.mkdir(parents=True, exist_ok=True)
        for number in present:
            if len(free) < count and (descriptor := lock(folder / str(number))) is not None:
                held.callback(os.close, descriptor)
                free.append(number)
        if len(free) < count:
            raise SandboxError(
                f"the task asks for {count} GPUs; of this host's {len(present)} only {len(free)} are free: "
                "lower `slots` in host.toml, or run the campaign where there are more"
            )
        yield tuple(free)
