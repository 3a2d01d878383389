"""Control groups: what one box used, and limits on it, where the host delegates them.

Version 1 (cpuacct, pids, memory as separate trees) and version 2 (one tree). What could be had is reported.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class CGroup:
    """One box's control group; `None` from `create` where the host gives no CPU accounting."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders

    @classmethod
    def create(cls, name: str, *, memory_bytes: int, processes: int) -> "CGroup | None":
        """Make a group called `name` and set what limits the host allows."""
        folders = _version_2(name) if (_ROOT / "cgroup.controllers").exists() else _version_1(name)
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
    def limits(self) -> str:
        """Which resources the kernel limits, for the record."""
        names = {"pids": ("pids.max",), "memory": ("memory.max", "memory.limit_in_bytes")}
        held = [n for n, files in names.items() if any((d / f).exists() for d in self._folders.values() for f in files)]
        return "+".join(["cpu", *held])

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

    def close(self) -> None:
        """Remove the group; the box is dead by now."""
        _remove(self._folders)


def _version_1(name: str) -> dict[str, Path]:
    trees = {"cpu": _ROOT / "cpuacct", "pids": _ROOT / "pids", "memory": _ROOT / "memory"}
    return {key: folder for key, tree in trees.items() if tree.is_dir() and (folder := _make(tree / name))}


def _version_2(name: str) -> dict[str, Path]:
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/")
    folder = _make(_ROOT / own.strip("/") / name)
    return {"cpu": folder} if folder else {}


def _make(folder: Path) -> Path | None:
    try:
        folder.mkdir()
    except OSError:
        return None
    return folder


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
