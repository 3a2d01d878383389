"""Control groups: what one box used, and limits on it, where the host delegates them.

Version 1 (cpuacct, pids, memory as separate trees) and version 2 (one tree). What could be had is reported.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "espalier-"


class CGroup:
    """One box's control group; `None` from `create` where the host gives no CPU accounting."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        names = {"pids": ("pids.max",), "memory": ("memory.max", "memory.limit_in_bytes")}
        held = [n for n, files in names.items() if any((d / f).exists() for d in folders.values() for f in files)]
        self.limits = "+".join(["cpu", *held])
        """Which resources the kernel limits, for the record."""

    @classmethod
    def create(cls, name: str, *, memory_bytes: int, processes: int) -> "CGroup | None":
        """Make a group for the calling process's box `name` and set what limits the host allows."""
        owner = f"{_PREFIX}{os.getpid()}.{_born(os.getpid())}-{name}-{os.urandom(3).hex()}"
        folders = {key: folder for key, tree in _trees().items() if (folder := _make(tree / owner))}
        if "cpu" not in folders:
            _remove(folders)
            return None
        for file, limit in (
            ("memory.max", memory_bytes),
            ("memory.limit_in_bytes", memory_bytes),
            ("pids.max", processes),
        ):
            for folder in set(folders.values()):
                if (folder / file).exists():
                    with suppress(OSError):
                        (folder / file).write_text(str(limit))
        return cls(folders)

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel limits memory, shared and file-backed in memory included."""
        return "memory" in self.limits

    def enter(self) -> None:
        """Move the calling process in; called between fork and exec, so that a box is born inside."""
        for folder in set(self._folders.values()):
            descriptor = os.open(folder / "cgroup.procs", os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    def cpu_seconds(self) -> float:
        """CPU seconds of every process that was ever inside."""
        folder = self._folders["cpu"]
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        fields = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def peak_bytes(self) -> int | None:
        """Most memory ever charged; None where memory is not accounted."""
        for folder in self._folders.values():
            for file in ("memory.peak", "memory.max_usage_in_bytes"):
                with suppress(OSError):
                    return int((folder / file).read_text())
        return None

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a process for memory."""
        for folder in self._folders.values():
            for file in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    fields = dict(line.split()[:2] for line in (folder / file).read_text().splitlines())
                    if int(fields.get("oom_kill", "0")):
                        return True
        return False

    def kill(self) -> None:
        """Kill every process inside, also one that nobody knows of."""
        for folder in set(self._folders.values()):
            _kill(folder)

    def close(self) -> None:
        """Remove the group; the box is dead by now."""
        _remove(self._folders)


def sweep() -> int:
    """Kill and remove what boxes of dead harness processes left; live ones are not touched. Return how many."""
    left = list(orphans())
    for folder in left:
        _kill(folder)
        _remove({"left": folder})
    return len(left)


def orphans() -> Iterator[Path]:
    """Groups of boxes whose harness process is dead."""
    for tree in set(_trees().values()):
        for folder in tree.glob(f"{_PREFIX}*"):
            pid, _, born = folder.name.removeprefix(_PREFIX).partition("-")[0].partition(".")
            if pid.isdigit() and born.isdigit() and _born(int(pid)) != born:
                yield folder


def _trees() -> dict[str, Path]:
    """Where groups may be made: the separate trees of version 1, or our own place in version 2's one tree."""
    if (_ROOT / "cgroup.controllers").exists():
        own = next(
            (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/"
        )
        return {"cpu": _ROOT / own.strip("/")}
    trees = {"cpu": _ROOT / "cpuacct", "pids": _ROOT / "pids", "memory": _ROOT / "memory"}
    return {key: tree for key, tree in trees.items() if tree.is_dir()}


def _born(pid: int) -> str:
    """When a live process started, in ticks since boot; empty when there is none: tells a reused pid apart."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _make(folder: Path) -> Path | None:
    try:
        folder.mkdir()
    except OSError:
        return None
    return folder


def _kill(folder: Path) -> None:
    with suppress(OSError):
        for inside in (folder / "cgroup.procs").read_text().split():
            # 0 is a process of another pid namespace, and would mean our own group.
            with suppress(ProcessLookupError):
                if int(inside) > 0:
                    os.kill(int(inside), signal.SIGKILL)


def _remove(folders: dict[str, Path]) -> None:
    for folder in set(folders.values()):
        for _ in range(50):
            try:
                folder.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)
