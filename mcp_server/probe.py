"""Probes: does a box run here, and what does an empty one cost."""

import statistics
import tempfile
from pathlib import Path

from mcp_server.box import Box, SandboxError
from mcp_server.host import Interpreter
from mcp_server.sandbox import BoxSpec


def self_test(python: Interpreter, bwrap: str) -> str | None:
    """Run the recipe interpreter in a box; say why it does not run there, None when it does."""
    try:
        box = run_once(python, bwrap, (str(python.executable), "-I", "-S", "-c", "open('/out/x', 'w').close()"))
    except SandboxError as error:
        return str(error)
    said = box.log.bytes().decode(errors="replace").strip()
    return None if box.verdict == "ok" else f"{python.executable} does not run in a box: {said or box.verdict}"


def launch_bias(python: Interpreter, bwrap: str, runs: int = 5) -> float:
    """Median wall seconds from release to death of a box that does nothing: what every clock reads too much."""
    return statistics.median(run_once(python, bwrap, ("/usr/bin/true",)).wall_s for _ in range(runs))


def run_once(python: Interpreter, bwrap: str, argv: tuple[str, ...]) -> Box:
    """Run `argv` to its end in a box that sees no recipe and no data."""
    with tempfile.TemporaryDirectory() as empty:
        spec = BoxSpec(
            argv=argv,
            recipe=Path(empty),
            data=Path(empty),
            interpreter=python,
            bwrap=bwrap,
            environment={},
            seconds=20,
            clock="wall",
            memory_bytes=1 << 30,
            processes=16,
            scratch_bytes=1 << 20,
        )
        with Box(spec, "probe") as box:
            box.release()
            box.wait()
    return box
