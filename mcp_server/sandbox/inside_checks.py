"""A box's check of its own walls: `selftest` runs this file inside a box, with only the standard library.

Every check tries what must fail. /out/walls.txt gets a line for each: its name, then `ok` or `open`. At the end the
program takes more memory than the box may have, which ends the box.
"""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FORBIDDEN = {
    "x86_64": {"ptrace": 101, "mount": 165, "keyctl": 250, "unshare": 272, "bpf": 321, "io_uring_setup": 425},
    "aarch64": {"ptrace": 117, "mount": 40, "keyctl": 219, "unshare": 97, "bpf": 280, "io_uring_setup": 425},
}
NAMESPACES = ("pid", "net", "ipc", "uts", "mnt")
_NEW_USER, _PROCESS_MADVISE = 0x10000000, 440
_READ_ONLY = ("/", "/dev", "/usr", "/etc", "/proc", "/recipe", "/data")
_SCRATCH = ("/out", "/tmp", "/dev/shm")  # noqa: S108 - the box's own


def _cannot_write(folder: str) -> bool:
    try:
        (Path(folder) / "probe").write_bytes(b"x")
    except OSError:
        return True
    return False


def _refuses(number: int, *arguments: int) -> bool:
    call = ctypes.CDLL(None, use_errno=True).syscall
    return call(number, *arguments, 0, 0, 0, 0) == -1 and ctypes.get_errno() in {errno.EPERM, errno.ENOSYS}


def _no_socket(family: int) -> bool:
    try:
        socket.socket(family, socket.SOCK_STREAM).close()
    except OSError:
        return True
    return False


def _no_lingering() -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == bytes(8)


def _holds_only_the_interpreter(folder: Path) -> bool:
    if folder in {Path(sys.prefix), Path(sys.base_prefix)} or not folder.is_dir():
        return True
    leads = {p for prefix in (sys.prefix, sys.base_prefix) for p in (Path(prefix), *Path(prefix).parents)}
    return all(inner in leads and _holds_only_the_interpreter(inner) for inner in folder.iterdir())


def _status(field: str) -> str:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))


def _size(folder: str) -> int:
    size = os.statvfs(folder)
    return size.f_blocks * size.f_frsize


def _descriptors() -> set[int]:
    """Return the open descriptors, except for files of our own."""
    descriptors: set[int] = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if not str(link.readlink()).startswith(("/out/", "/proc/")):
                descriptors.add(int(link.name))
    return descriptors


def _forks_until(most: int) -> bool:
    """Return whether the kernel refuses a process before there are more than `most`."""
    children: list[int] = []
    waits, wakes = os.pipe()
    try:
        while len(children) <= most:
            child = os.fork()
            if child == 0:
                os.read(waits, 1)
                os._exit(0)
            children.append(child)
    except OSError:
        return True
    finally:
        os.write(wakes, b"x" * len(children))
        for child in children:
            os.waitpid(child, 0)
    return False


def _no_page_news() -> bool:
    """Return whether a read that must not wait is refused: its answer would show what an earlier box has read."""
    with Path(os.__file__).open("rb") as file:
        try:
            os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return False


def checks(scratch: int, processes: int, names: set[str], outside: set[str]) -> dict[str, Callable[[], bool]]:
    """Return a check for each wall by name.

    Args:
        scratch: The most bytes that each scratch folder may have.
        processes: The most processes.
        names: The environment variables that a box may have.
        outside: The host's namespaces.
    """
    calls = _FORBIDDEN[os.uname().machine]
    return {
        **{f"read-only {path}": lambda path=path: _cannot_write(path) for path in _READ_ONLY},
        **{f"size of {path}": lambda path=path: _size(path) <= scratch + mmap.PAGESIZE for path in _SCRATCH},
        "no network": lambda: [name for _, name in socket.if_nameindex()] in ([], ["lo"]),
        "own processes": lambda: len(list(Path("/proc").glob("[0-9]*"))) <= 4,
        **{
            f"own {kind} namespace": lambda kind=kind: str(Path(f"/proc/self/ns/{kind}").readlink()) not in outside
            for kind in NAMESPACES
        },
        "no home": lambda: all(_holds_only_the_interpreter(Path(path)) for path in ("/home", "/root")),
        "no secrets": lambda: set(os.environ) <= names,
        "no descriptors": lambda: _descriptors() <= {0, 1, 2, int(os.environ["ESPALIER_CONTROL"])},
        "no terminal": lambda: not any(os.isatty(n) for n in (0, 1, 2)),
        "no capabilities": lambda: int(_status("CapEff"), 16) == int(_status("CapBnd"), 16) == 0,
        "no new privileges": lambda: _status("NoNewPrivs") == "1",
        "not root": lambda: os.getuid() != 0 and os.geteuid() != 0 and not os.getgroups(),
        "call filter": lambda: _status("Seccomp") == "2" and all(_refuses(number) for number in calls.values()),
        "no namespaces": lambda: _refuses(calls["unshare"], _NEW_USER) and _refuses(435),
        "no vsock or kernel crypto": lambda: _no_socket(40) and _no_socket(38),
        "no lingering sockets": _no_lingering,
        "no news of cached pages": _no_page_news,
        "no paging out": lambda: _refuses(_PROCESS_MADVISE),
        "processes limited": lambda: _forks_until(processes),
    }


def main() -> None:
    """Try every wall, then break the memory limit."""
    scratch, processes, memory = (int(word) for word in sys.argv[1:4])
    with Path("/out/walls.txt").open("w", encoding="utf-8") as report:
        for name, check in checks(scratch, processes, *(set(word.split(",")) for word in sys.argv[4:6])).items():
            try:
                answer = "ok" if check() else "open"
            except OSError as error:
                answer = f"{type(error).__name__}: {error}"
            print(name, answer, sep="\t", file=report)
        print("every check ran", "ok", sep="\t", file=report)
    shared = mmap.mmap(-1, 2 * memory)
    while True:
        for start in range(0, len(shared), mmap.PAGESIZE):
            shared[start] = 1


if __name__ == "__main__":
    main()
