"""Control groups: what one box used, and limits on it, if the host delegates them; else its memory is polled.

Works with version 1 (cpuacct, pids, memory as separate trees) and version 2 (one tree), and reports what it got.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lineage_repo.model.measurement import Clock

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "espalier-"


class CGroup:
    """One box's control group."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        names = {"pids": ("pids.max",), "memory": ("memory.max", "memory.limit_in_bytes")}
        limited = [n for n, files in names.items() if any((d / f).exists() for d in folders.values() for f in files)]
        self.limits = "+".join(["cpu", *limited])
        """Which resources the kernel limits, for the record."""

    @classmethod
    def create(cls, name: str, *, memory_bytes: int, processes: int) -> "CGroup | None":
        """Make a group for the box `name` and set what limits the host allows; None without CPU accounting."""
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
        """Whether the kernel limits memory, including shared memory and files in memory."""
        return "memory" in self.limits

    def enter(self) -> None:
        """Move the calling process into the group; called between fork and exec, so that a box is born inside."""
        for folder in set(self._folders.values()):
            descriptor = os.open(folder / "cgroup.procs", os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of every process that was ever inside."""
        folder = self._folders["cpu"]
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        fields = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def peak_bytes(self) -> int | None:
        """Return the most memory ever charged; None if memory is not accounted."""
        for folder in self._folders.values():
            for file in ("memory.peak", "memory.max_usage_in_bytes"):
                with suppress(OSError):
                    return int((folder / file).read_text())
        return None

    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel killed a process for memory."""
        for folder in self._folders.values():
            for file in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    fields = dict(line.split()[:2] for line in (folder / file).read_text().splitlines())
                    if int(fields.get("oom_kill", "0")):
                        return True
        return False

    def kill(self) -> None:
        """Kill every process inside, including those that we did not start."""
        for folder in set(self._folders.values()):
            _kill(folder)

    def close(self) -> None:
        """Remove the group; the box is dead by now."""
        _remove(self._folders)


def sweep() -> int:
    """Kill and remove what boxes of dead harness processes left, and no live one's; return how many there were."""
    orphans = list(find_orphans())
    for folder in orphans:
        _kill(folder)
        _remove({"orphan": folder})
    return len(orphans)


def find_orphans() -> Iterator[Path]:
    """Yield the groups of boxes whose harness process is dead."""
    for tree in set(_trees().values()):
        for folder in tree.glob(f"{_PREFIX}*"):
            pid, _, born = folder.name.removeprefix(_PREFIX).partition("-")[0].partition(".")
            if pid.isdigit() and born.isdigit() and _born(int(pid)) != born:
                yield folder


def choose_clock(wanted: Clock) -> Clock:
    """Return `cpu` if it is wanted and the host counts CPU seconds per box, else `wall`."""
    if wanted == "wall":
        return "wall"
    group = CGroup.create("probe", memory_bytes=1 << 30, processes=16)
    if group is None:
        return "wall"
    group.close()
    return "cpu"


def memory_in_use(init: int) -> int:
    """Sum the bytes of every process in the pid namespace of `init`; shared pages are split among their users.

    For boxes whose memory no control group counts. It is polled, so a box that grows fast overshoots.
    """
    try:
        namespace = Path(f"/proc/{init}/ns/pid").readlink()
    except OSError:
        return 0
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "ns" / "pid").readlink() == namespace:
                total += _proportional_bytes(process)
    return total


def _proportional_bytes(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _trees() -> dict[str, Path]:
    """Return where groups may be made: the trees of version 1, or our own place in version 2's one tree."""
    if (_ROOT / "cgroup.controllers").exists():
        own = next(
            (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/"
        )
        return {"cpu": _ROOT / own.strip("/")}
    trees = {"cpu": _ROOT / "cpuacct", "pids": _ROOT / "pids", "memory": _ROOT / "memory"}
    return {key: tree for key, tree in trees.items() if tree.is_dir()}


def _born(pid: int) -> str:
    """Return when a live process started, in ticks since boot, or an empty string: this tells a reused pid apart."""
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
