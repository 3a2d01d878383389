"""GPUs: which of this host's a trial may use, each held by one trial at a time."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from lineage_repo.errors import SandboxError
from lineage_repo.model.manifest import Task
from lineage_repo.storage.locks import try_lock
from mcp_server.sandbox.bwrap_args import DEVICES
from mcp_server.sandbox.host import Host


def list_gpus() -> list[int]:
    """Numbers of this host's GPUs."""
    return sorted(int(p.name[6:]) for p in DEVICES.glob("nvidia[0-9]*") if p.name[6:].isdigit())


def missing_gpus(task: Task) -> str | None:
    """Why this host can't measure a task, by its number of GPUs; None where it can."""
    asked, there = task.limits.gpus, len(list_gpus())
    if asked <= there:
        return None
    fewer = [name for name, variant in task.variants.items() if variant.set.get("limits.gpus", asked) <= there]
    line = f"the task asks for {asked} GPU{'s' * (asked > 1)}, this host has {there}: run it where there are as many"
    return line + (f", or prepare it with --variant {' or '.join(fewer)}" if fewer else "")


@contextmanager
def lease(host: Host, count: int) -> Generator[tuple[int, ...]]:
    """Numbers of `count` GPUs that are this process's until it leaves or dies; raise `SandboxError` where they lack."""
    with ExitStack() as held:
        free: list[int] = []
        folder = host.state / "gpus"
        if count:
            folder.mkdir(parents=True, exist_ok=True)
        numbers = list_gpus()
        for number in numbers:
            if len(free) < count and (descriptor := try_lock(folder / str(number))) is not None:
                held.callback(os.close, descriptor)
                free.append(number)
        if len(free) < count:
            raise SandboxError(
                f"the task asks for {count} GPUs; of this host's {len(numbers)} only {len(free)} are free: "
                "lower `slots` in host.toml, or run the campaign where there are more"
            )
        yield tuple(free)
