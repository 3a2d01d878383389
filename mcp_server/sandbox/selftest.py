"""The self-test: a box tries its own walls, and what holds decides this host's isolation level."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from lineage_repo.errors import SandboxError
from lineage_repo.model.measurement import LEVELS, Isolation, Record
from mcp_server.sandbox import inside_checks
from mcp_server.sandbox.box import Box
from mcp_server.sandbox.bwrap_args import BoxSpec, drops_root, suggest_remedy
from mcp_server.sandbox.host import Host, interpreter

_MEMORY, _PROCESSES, _SCRATCH = 48_000_000, 10, 1_000_000
_COUNTED = ("CPU seconds counted", "memory limited by the kernel")
"""What only a control group gives. The other checks are walls: one open wall means no isolation."""
_VARIABLES = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"),
    *("PYTHONHASHSEED", "PYTHONUNBUFFERED", "ESPALIER_CONTROL", "ESPALIER_DATA", "ESPALIER_OUT"),
)
_DELEGATE = (
    "let this user make control groups (systemd-run --user --scope -p Delegate=yes ...), "
    "or make the campaign with `--isolation bwrap`"
)


class SelfTest(Record):
    """What isolates boxes on one host, as tried from inside of one.

    `bwrap+cgroup`: every check passed. `bwrap`: all walls hold, but the kernel does not count CPU seconds or memory per
    box. `none`: a wall is open.
    """

    level: Isolation
    drops_root: bool
    """In which of the two ways boxes are made here."""
    passed: int
    open: tuple[str, ...] = ()
    """Checks that did not pass, each with what it could do."""

    @property
    def summary(self) -> str:
        """Passed of all, for the record."""
        return f"{self.passed}/{self.passed + len(self.open)}"

    @classmethod
    def run(cls, host: Host) -> Self:
        """Try the walls. If the harness is root and boxes of another user fail, try those in a user namespace.

        Raises:
            SandboxError: no box can be made at all; the message names the remedy.
            HostError: the recipes' interpreter does not run.
        """
        if not shutil.which(host.bwrap):
            raise SandboxError(f"{host.bwrap} is not installed: `apt-get install bubblewrap` on Debian and Ubuntu")
        if drops_root():
            try:
                if (test := cls._try_walls(host, own_user=True)).level != "none":
                    return test
            except SandboxError:
                pass
        return cls._try_walls(host, own_user=False)

    @classmethod
    def _try_walls(cls, host: Host, *, own_user: bool) -> Self:
        python = str(interpreter(host.recipe_python).executable)
        numbers = (str(_SCRATCH), str(_PROCESSES), str(_MEMORY))
        outside = (str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in inside_checks.NAMESPACES)
        with run_in_box(
            host,
            (python, "-I", "-S", "/recipe/inside_checks.py", *numbers, ",".join(_VARIABLES), ",".join(outside)),
            recipe=(Path(inside_checks.__file__),),
            drops_root=own_user,
            memory_bytes=_MEMORY,
            processes=_PROCESSES,
            scratch_bytes=_SCRATCH,
        ) as box:
            checks = dict(line.split("\t", 1) for line in _read_walls(box.out).splitlines())
            memory = box.isolation()["memory"]
        if "every check ran" not in checks:
            log = box.log.bytes().decode(errors="replace").strip()
            raise SandboxError(f"{python} does not run in a box: {log or box.exit_status}")
        checks |= {
            "memory limit ends the box": "ok" if box.exit_status == "memory" else box.exit_status,
            "CPU seconds counted": "ok" if box.cpu_s else "no control group",
            "memory limited by the kernel": "ok" if memory == "limited" else memory,
        }
        open_ = {name: answer for name, answer in checks.items() if answer != "ok"}
        level: Isolation = "none" if open_.keys() - set(_COUNTED) else "bwrap" if open_ else "bwrap+cgroup"
        return cls(
            level=level,
            drops_root=own_user,
            passed=len(checks) - len(open_),
            open=tuple(f"{name}: {answer}" for name, answer in open_.items()),
        )

    def below(self, required: Isolation) -> str | None:
        """Return why this host does not reach a level, with the remedy; None if it does."""
        if LEVELS.index(self.level) >= LEVELS.index(required):
            return None
        lacking = "; ".join(self.open)
        remedy = suggest_remedy(lacking) if self.level == "none" else _DELEGATE
        return (
            f"this host reaches isolation {self.level!r}, the campaign requires {required!r}; open: {lacking}: {remedy}"
        )


def measure_launch_bias(host: Host, *, walls: bool = True, runs: int = 5) -> float:
    """Return the median wall seconds from release to death of a box that does nothing: what every clock overstates."""

    def time_box() -> float:
        with run_in_box(host, ("/usr/bin/true",), walls=walls) as box:
            return box.wall_s

    return statistics.median(time_box() for _ in range(runs))


@contextmanager
def run_in_box(host: Host, argv: tuple[str, ...], recipe: tuple[Path, ...] = (), **changes: Any) -> Generator[Box]:
    """Run `argv` to its end in a box and yield the dead box; it has `recipe` as its files, no data and small limits.

    `changes` are fields of `BoxSpec`.
    """
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


def _read_walls(out: int) -> str:
    try:
        with open("walls.txt", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, dir_fd=out)) as file:
            return file.read()
    except FileNotFoundError:
        return ""
