"""Probes: boxes that measure the host and no recipe."""

import shutil
import statistics
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.host import Host, interpreter


def launch_bias(host: Host, *, walls: bool = True, runs: int = 5) -> float:
    """Median wall seconds from release to death of a box that does nothing: what every clock reads too much."""

    def once() -> float:
        with run_in_box(host, ("/usr/bin/true",), walls=walls) as box:
            return box.wall_s

    return statistics.median(once() for _ in range(runs))


@contextmanager
def run_in_box(host: Host, argv: tuple[str, ...], recipe: tuple[Path, ...] = (), **changes: Any) -> Generator[Box]:
    """A box that has run `argv` to its end with these files as its recipe, no data, and small limits."""
    with tempfile.TemporaryDirectory() as folder:
        for file in recipe:
            shutil.copy(file, folder)
        Path(folder).chmod(0o755)
        limits: dict[str, Any] = {"memory_bytes": 1 << 30, "processes": 16, "scratch_bytes": 1 << 20}
        spec = BoxSpec(
            argv=argv,
            recipe=Path(folder),
            data=Path(folder),
            interpreter=interpreter(host.recipe_python),
            bwrap=host.bwrap,
            environment={},
            limit_s=20,
            clock="wall",
            **(limits | changes),
        )
        with Box(spec, "probe") as box:
            box.release()
            box.wait()
            yield box
