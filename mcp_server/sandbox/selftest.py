"""The self-test: a box tries its own walls, and what holds decides this host's isolation level."""

import os
import shutil
from pathlib import Path
from typing import Self

from lineage_repo.errors import SandboxError
from lineage_repo.model.measurement import LEVELS, Isolation, Record
from mcp_server.sandbox import inside_checks
from mcp_server.sandbox.bwrap_args import drops_root, remedy
from mcp_server.sandbox.host import Host, interpreter
from mcp_server.sandbox.probe import run_in_box

_MEMORY, _PROCESSES, _SCRATCH = 48_000_000, 10, 1_000_000
_COUNTED = ("CPU seconds counted", "memory limited by the kernel")
"""What only a control group gives; the rest are walls, and with one of them open a box is none."""
_VARIABLES = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"),
    *("PYTHONHASHSEED", "PYTHONUNBUFFERED", "ESPALIER_CONTROL", "ESPALIER_DATA", "ESPALIER_OUT"),
)


_DELEGATE = (
    "let this user make control groups (systemd-run --user --scope -p Delegate=yes ...), "
    "or make the campaign with `--isolation bwrap`"
)


class SelfTest(Record):
    """What the walls of one host's boxes came to."""

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
        """Try the walls; as root where boxes of another user can't be made, those in a user namespace.

        Raises:
            SandboxError: no box can be made at all; the message names the remedy.
        """
        if not shutil.which(host.bwrap):
            raise SandboxError(f"{host.bwrap} is not installed: `apt-get install bubblewrap` on Debian and Ubuntu")
        if drops_root():
            try:
                if (found := cls._try(host, own_user=True)).level != "none":
                    return found
            except SandboxError:
                pass
        return cls._try(host, own_user=False)

    @classmethod
    def _try(cls, host: Host, *, own_user: bool) -> Self:
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
            said = dict(line.split("\t", 1) for line in _read(box.out).splitlines())
            held = box.isolation()
        if "every check ran" not in said:
            log = box.log.bytes().decode(errors="replace").strip()
            raise SandboxError(f"{python} does not run in a box: {log or box.verdict}")
        said |= {
            "memory limit ends the box": "ok" if box.verdict == "memory" else box.verdict,
            "CPU seconds counted": "ok" if box.cpu_s else "no control group",
            "memory limited by the kernel": "ok" if held["memory"] == "limited" else held["memory"],
        }
        open_ = {name: text for name, text in said.items() if text != "ok"}
        level: Isolation = "none" if open_.keys() - set(_COUNTED) else "bwrap" if open_ else "bwrap+cgroup"
        return cls(
            level=level,
            drops_root=own_user,
            passed=len(said) - len(open_),
            open=tuple(f"{name}: {text}" for name, text in open_.items()),
        )

    def below(self, required: Isolation) -> str | None:
        """Why this host does not reach a level, with the remedy; None when it does."""
        if LEVELS.index(self.level) >= LEVELS.index(required):
            return None
        lacking = "; ".join(self.open)
        advice = remedy(lacking) if self.level == "none" else _DELEGATE
        return (
            f"this host reaches isolation {self.level!r}, the campaign requires {required!r}; open: {lacking}: {advice}"
        )


def _read(out: int) -> str:
    try:
        with open("walls.txt", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, dir_fd=out)) as file:
            return file.read()
    except FileNotFoundError:
        return ""
