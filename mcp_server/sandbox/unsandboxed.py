"""A box without walls, for `--isolation none`: a plain process group."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mcp_server.sandbox import bwrap_args
from mcp_server.sandbox.bwrap_args import BoxSpec
from mcp_server.sandbox.process import start


class PlainBox:
    """A plain process group with the operator's own rights: it can read and forge whatever its user can."""

    def __init__(self, spec: BoxSpec, enter: Callable[[], None]) -> None:
        self._spec, self._enter = spec, enter
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="espalier-bare-")
        self._open: list[int] = []
        self.out = -1

    def prepare(self, log: int, control: int) -> None:
        """Make its /out; nothing runs yet."""
        (Path(self._folder.name) / "out").mkdir()
        self.out = os.open(Path(self._folder.name) / "out", os.O_RDONLY | os.O_DIRECTORY)
        self._open.append(self.out)
        self._log, self._control = log, control

    def let_go(self) -> int:
        """Start the program; return a descriptor that is readable once it is dead. Its daemons may outlive it."""
        spec, home = self._spec, self._folder.name
        out = f"{home}/out"
        variables = bwrap_args.environment(spec, self._control, str(spec.data), out) | {"HOME": home, "TMPDIR": home}
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, spec.gpus))
        argv = [
            part.replace("/recipe/", f"{spec.recipe}/") if part.startswith("/recipe/") else part for part in spec.argv
        ]

        def enter() -> None:
            os.setsid()
            os.chdir(out)
            self._enter()

        self._process = start(argv, spec, enter, self._log, variables, bwrap_args.inherited(spec, self._control))
        self._open.append(os.pidfd_open(self._process.pid))
        return self._open[-1]

    def kill(self) -> None:
        """Kill the process group; if there is a control group, it kills the rest."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit code, or minus the signal."""
        return self._process.wait() if self._process else 0

    def count_files(self) -> int:
        """Not counted."""
        return 0

    def memory_in_use(self) -> int:
        """Not counted."""
        return 0

    def close(self) -> None:
        """Kill what is left and remove its files."""
        self.kill()
        self.wait()
        for descriptor in self._open:
            os.close(descriptor)
        self._folder.cleanup()
