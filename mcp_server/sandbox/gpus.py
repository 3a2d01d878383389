"""GPUs: which of this host's a trial may use; one trial at a time leases each."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from lineage_repo.errors import SandboxError
from lineage_repo.model.manifest import Task
from lineage_repo.storage.locks import try_lock
from mcp_server.sandbox.bwrap_args import DEVICES
from mcp_server.sandbox.host import Host


def list_gpus() -> list[int]:
    """Return the numbers of this host's GPUs."""
    return sorted(int(p.name[6:]) for p in DEVICES.glob("nvidia[0-9]*") if p.name[6:].isdigit())


def missing_gpus(task: Task) -> str | None:
    """Return why this host has too few GPUs to measure a task; None if it has enough."""
    asked, there = task.limits.gpus, len(list_gpus())
    if asked <= there:
        return None
    fewer = [name for name, variant in task.variants.items() if variant.set.get("limits.gpus", asked) <= there]
    line = f"the task asks for {asked} GPU{'s' * (asked > 1)}, this host has {there}: run it on a host that has enough"
    return line + (f", or prepare it with --variant {' or '.join(fewer)}" if fewer else "")


@contextmanager
def lease(host: Host, count: int) -> Generator[tuple[int, ...]]:
    """Lease `count` GPUs until the block ends or the process dies; yield their numbers.

    Raises:
        SandboxError: fewer are free.
    """
    with ExitStack() as leases:
        free: list[int] = []
        folder = host.state / "gpus"
        if count:
            folder.mkdir(parents=True, exist_ok=True)
        numbers = list_gpus()
        for number in numbers:
            if len(free) < count and (descriptor := try_lock(folder / str(number))) is not None:
                leases.callback(os.close, descriptor)
                free.append(number)
        if len(free) < count:
            raise SandboxError(
                f"the task asks for {count} GPUs; of this host's {len(numbers)} only {len(free)} are free: "
                "lower `slots` in host.toml, or run the campaign on a host that has more"
            )
        yield tuple(free)
