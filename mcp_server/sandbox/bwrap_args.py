"""What a box sees and may use, as bubblewrap's arguments. No other module knows them.

A box sees /usr, its interpreter, /recipe and /data read-only, and writes to /out, /tmp and /dev/shm, each of a fixed
size. It has no network, an environment of its own, and dies with the process that made it.
"""

import os
import shutil
from pathlib import Path
from typing import Literal

from pydantic import Field

from lineage_repo.model.measurement import Record
from mcp_server.sandbox.host import Interpreter

_FIRST_UID, _UIDS = 60514, 670
"""UIDs that distributions leave free, and that a container with the usual 65,536 of them still has."""
SCRATCH = ("/out", "/tmp", "/dev/shm")
DEVICES = Path("/dev")
_MADE = {Path("/"), Path("/tmp")}
_SYSTEM_PACKAGES, _LOCAL_PACKAGES = Path("/usr"), Path("/usr/local/lib")
"""Where distributions keep packages; a box sees all of /usr."""


def drops_root() -> bool:
    """Return whether boxes run under a user of their own because the harness is root."""
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


def box_uid() -> int:
    """Return the user of this process's boxes: boxes of two trials share no user's quotas, signals or keys."""
    return _FIRST_UID + os.getpid() % _UIDS


class BoxSpec(Record):
    """What a box runs, sees and may use."""

    argv: tuple[str, ...]
    """The program as the box sees it; `/recipe/...` is translated for a box without walls."""
    recipe: Path
    """Host folder that is /recipe, read-only."""
    data: Path
    """Host folder that is /data, read-only."""
    interpreter: Interpreter
    hide: tuple[str, ...] = ()
    """Packages that are masked, since they hold hidden data."""
    bwrap: str = "bwrap"
    environment: dict[str, str]
    """Variables beside the fixed ones."""
    limit_s: float
    """Cap from the start of the clock, in seconds of `clock`."""
    clock: Literal["cpu", "wall"]
    ready_s: float | None = None
    """Cap from launch to READY, in seconds of `clock`; None for a phase without READY."""
    memory_bytes: int
    processes: int
    scratch_bytes: int
    """Size of /out, of /tmp and of /dev/shm, each."""
    scratch_files: int = 100_000
    dialogue: int | None = None
    """Descriptor of the box's end of a dialogue with the evaluator; the box takes it over."""
    gpus: tuple[int, ...] = ()
    """Numbers of the NVIDIA devices that it may use."""
    out_alias: Path | None = None
    """Another path to its /out."""
    drops_root: bool = Field(default_factory=drops_root)
    """Whether the box runs as a user of its own, which needs root; otherwise it gets a user namespace."""
    walls: bool = True
    """False for `--isolation none`: a plain process that sees everything its user sees."""


_WALLS = (
    "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try --hostname box --new-session "
    "--die-with-parent --cap-drop ALL --clearenv"
)
_AS_USER = "--unshare-user --disable-userns --uid 1000 --gid 1000"
"""An ordinary user gets a user namespace, in which it is another one."""
_AS_ROOT = "--cap-add CAP_SETUID --cap-add CAP_SETGID --cap-add CAP_SETPCAP"
"""Root keeps what it needs to change its user before the recipe starts; the call filter forbids namespaces."""
_BECOME = "setpriv --reuid {uid} --regid {uid} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs --"
_SYSTEM = (
    "--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 "
    # Triton asks /sbin/ldconfig for the driver's library, and that reads /etc.
    "--symlink usr/sbin /sbin --perms 0755 --dir /etc "
    "--ro-bind-try /etc/ld.so.cache /etc/ld.so.cache --ro-bind-try /etc/alternatives /etc/alternatives"
)

_LAST = "--remount-ro /dev --remount-ro / --chdir /out"


def environment(spec: BoxSpec, control: int, data: str, out: str) -> dict[str, str]:
    """Return all that a program may read from its environment."""
    return {
        "PATH": f"{spec.interpreter.executable.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "ESPALIER_CONTROL": str(control),
        "ESPALIER_DATA": data,
        "ESPALIER_OUT": out,
        **({} if spec.dialogue is None else {"ESPALIER_DIALOGUE": str(spec.dialogue)}),
        **spec.environment,
    }


def inherited(spec: BoxSpec, control: int) -> tuple[int, ...]:
    """Return the descriptors that a program inherits."""
    return (control,) if spec.dialogue is None else (control, spec.dialogue)


def arguments(spec: BoxSpec, control: int) -> list[str]:
    """Return bubblewrap's arguments for a box, without its own descriptors and without the program."""
    scratch = f"--size {spec.scratch_bytes} --tmpfs"
    return [
        *_WALLS.split(),
        *(_AS_ROOT if spec.drops_root else _AS_USER).split(),
        *_SYSTEM.split(),
        *f"--proc /proc --dev /dev --perms 1777 {scratch} /dev/shm --perms 1777 {scratch} /tmp".split(),
        *f"--perms 0777 {scratch} /out".split(),
        *_gpus(spec.gpus),
        # After /tmp: an interpreter may lie below it.
        *_interpreter(spec.interpreter, spec.hide),
        *([] if spec.out_alias is None else [*_parents(spec.out_alias), "--symlink", "/out", str(spec.out_alias)]),
        *("--ro-bind", str(spec.recipe), "/recipe", "--ro-bind", str(spec.data), "/data"),
        *(part for item in environment(spec, control, "/data", "/out").items() for part in ("--setenv", *item)),
        *_LAST.split(),
    ]


def program(spec: BoxSpec) -> list[str]:
    """Return the command to run in the box, under an unused UID when the harness is root."""
    become = _BECOME.format(uid=box_uid()).split() if spec.drops_root else []
    return [*become, *spec.argv]


def _gpus(numbers: tuple[int, ...]) -> list[str]:
    """Bind the devices of these GPUs and what their driver needs beside them, but no display; after `--dev`."""
    if not numbers:
        return []
    shared = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-caps")
    devices = [DEVICES / name for name in (*(f"nvidia{n}" for n in numbers), *shared)]
    binds = [
        part for device in devices if device.exists() for part in ("--dev-bind", str(device), f"/dev/{device.name}")
    ]
    modules = sorted(Path("/sys/module").glob("nvidia*"))
    return [*binds, *(part for m in modules for part in (*_parents(m), "--ro-bind", str(m), str(m)))]


def _interpreter(python: Interpreter, hide: tuple[str, ...]) -> list[str]:
    """Bind what the interpreter needs; mask the packages that hold hidden data, and our own."""
    binds: list[str] = []
    for prefix in python.prefixes:
        if not prefix.is_relative_to("/usr"):
            binds += [*_parents(prefix), "--ro-bind", str(prefix), str(prefix)]
    for folder in {
        *python.packages,
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


def _parents(path: Path) -> list[str]:
    """Make the folders above `path`, since those that bubblewrap makes are closed to the box's user."""
    missing = [parent for parent in reversed(path.parents) if parent not in _MADE]
    return [part for parent in missing for part in ("--perms", "0755", "--dir", str(parent))]


def suggest_remedy(failure: str) -> str:
    """Say what to do about the words with which bubblewrap fails, for the hosts on which it is known to fail."""
    if "AppArmor" in failure or "setting up uid map" in failure or "RTM_NEWADDR" in failure:
        return (
            "on Ubuntu 24.04 load AppArmor's profile bwrap-userns-restrict: apt-get install apparmor-profiles, "
            "link /usr/share/apparmor/extra-profiles/bwrap-userns-restrict into /etc/apparmor.d, and reload"
        )
    if "nknown option" in failure:
        return "this bubblewrap is older than 0.8: install a newer one and name it in host.toml as `bwrap`"
    if "namespace" in failure or "/ slave" in failure or "not permitted" in failure or "Permission denied" in failure:
        return (
            "in a container allow namespaces and mounts (docker: --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined, or --privileged; podman's defaults do); "
            "elsewhere: sysctl kernel.unprivileged_userns_clone=1"
        )
    return "`espalier doctor` shows every check"
