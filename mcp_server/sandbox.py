"""The sandbox: what a box sees and may use, as bubblewrap's arguments. The only module that knows them.

A box sees /usr, its interpreter, /recipe and /data read-only, and writes to /out, /tmp and /dev/shm, each of a fixed
size. It has no network, an environment of its own, and dies with the process that made it.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from pydantic import Field

from lineage_repo.records import Record
from mcp_server.host import Interpreter

BOX_UID = 60001
"""Above what distributions give to people and services."""
_MADE = {Path("/"), Path("/tmp")}
_SYSTEM_PACKAGES, _LOCAL_PACKAGES = Path("/usr"), Path("/usr/local/lib")
"""Where distributions keep packages; a box sees all of /usr."""


def drops_root() -> bool:
    """Whether boxes run under a user of their own because the harness is root."""
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


class BoxSpec(Record):
    """What a box runs, sees and may use."""

    argv: tuple[str, ...]
    recipe: Path
    data: Path
    interpreter: Interpreter
    hide: tuple[str, ...] = ()
    bwrap: str = "bwrap"
    environment: dict[str, str]
    seconds: float
    clock: Literal["cpu", "wall"]
    ready_s: float | None = None
    memory_bytes: int
    processes: int
    scratch_bytes: int
    drops_root: bool = Field(default_factory=drops_root)
    """Whether the box runs as a user of its own; else in a user namespace, which needs no root."""


_WALLS = (
    "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try --hostname box --new-session "
    "--die-with-parent --cap-drop ALL --clearenv"
)
_AS_USER = "--unshare-user --disable-userns --uid 1000 --gid 1000"
"""An ordinary user gets a user namespace of its own, in which it is another one."""
_AS_ROOT = "--cap-add CAP_SETUID --cap-add CAP_SETGID --cap-add CAP_SETPCAP"
"""Root keeps what it needs to become somebody else before the recipe starts; the call filter forbids namespaces."""
_BECOME = (
    f"setpriv --reuid {BOX_UID} --regid {BOX_UID} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs --"
)
_SYSTEM = (
    "--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 "
    "--ro-bind-try /etc/ld.so.cache /etc/ld.so.cache --ro-bind-try /etc/alternatives /etc/alternatives"
)

_LAST = "--remount-ro /dev --remount-ro / --chdir /out"


def arguments(spec: BoxSpec, control: int) -> list[str]:
    """Bubblewrap's argument list up to its own descriptors."""
    environment = {
        "PATH": f"{spec.interpreter.executable.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "ESPALIER_CONTROL": str(control),
        "ESPALIER_DATA": "/data",
        "ESPALIER_OUT": "/out",
        **spec.environment,
    }
    scratch = f"--size {spec.scratch_bytes} --tmpfs"
    return [
        spec.bwrap,
        *_WALLS.split(),
        *(_AS_ROOT if spec.drops_root else _AS_USER).split(),
        *_SYSTEM.split(),
        *f"--proc /proc --dev /dev --perms 1777 {scratch} /dev/shm --perms 1777 {scratch} /tmp".split(),
        *f"--perms 0777 {scratch} /out".split(),
        # After /tmp: an interpreter may lie below it.
        *_interpreter(spec.interpreter, spec.hide),
        *("--ro-bind", str(spec.recipe), "/recipe", "--ro-bind", str(spec.data), "/data"),
        *(part for key, value in environment.items() for part in ("--setenv", key, value)),
        *_LAST.split(),
    ]


def program(spec: BoxSpec) -> list[str]:
    """What bubblewrap runs in the box: the argv, as nobody that the host knows."""
    return [*(_BECOME.split() if spec.drops_root else []), *spec.argv]


def _interpreter(found: Interpreter, hide: tuple[str, ...]) -> list[str]:
    """Bind what the interpreter needs; mask the packages that hold hidden data, and our own."""
    binds: list[str] = []
    for prefix in found.prefixes:
        if not prefix.is_relative_to("/usr"):
            # Made by hand, since those that bubblewrap makes are closed to the box's user.
            for parent in [p for p in reversed(prefix.parents) if p not in _MADE]:
                binds += ["--perms", "0755", "--dir", str(parent)]
            binds += ["--ro-bind", str(prefix), str(prefix)]
    for folder in {
        *found.packages,
        *_SYSTEM_PACKAGES.glob("lib/python3*/*-packages"),
        *_LOCAL_PACKAGES.glob("python3*/*-packages"),
    }:
        for name in (*hide, "lineage_repo", "mcp_server", "agent_client"):
            if (folder / name).is_dir():
                hidden = str(folder / name)
                binds += ["--perms", "0555", "--size", "4096", "--tmpfs", hidden, "--remount-ro", hidden]
            elif (folder / f"{name}.py").is_file():
                binds += ["--ro-bind", os.devnull, str(folder / f"{name}.py")]
    return binds


def missing(bwrap: str) -> str | None:
    """Why no box can be made here, with the remedy; None when bubblewrap runs one."""
    if not shutil.which(bwrap):
        return (
            f"{bwrap} is not installed, and nothing runs without it: `apt-get install bubblewrap` on Debian and Ubuntu"
        )
    probe = [
        bwrap,
        "--unshare-all",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--",
        "/usr/bin/env",
        "true",
    ]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        return (
            f"{bwrap} can't make a box here ({done.stderr.strip()}): in a container allow user namespaces "
            "(docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined); on Ubuntu 24.04 "
            "load AppArmor's profile bwrap-userns-restrict from the package apparmor-profiles"
        )
    return None
