"""This host: its interpreters, its slots, and where its locks are."""

import functools
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from lineage_repo.errors import HostError
from lineage_repo.model.explain import explain_validation
from lineage_repo.model.measurement import Record
from lineage_repo.monitor.host_slots import config_file, state_folder


class Host(Record):
    """What the operator configured in `$XDG_CONFIG_HOME/espalier/host.toml`; every key has a default."""

    slots: int = Field(default=1, ge=1, le=64)
    """Trials measured at once on this host; one keeps clocks comparable."""
    recipe_python: Path = Path(sys.executable)
    evaluator_python: Path = Path(sys.executable)
    bwrap: str = "bwrap"
    state: Path
    """Locks shared by all campaigns of this user."""
    path: str = os.defpath
    """Where to look for git and bubblewrap."""


def own_environment(host: Host) -> dict[str, str]:
    """Return the environment of our own processes; without the search for pydantic's plugins they start faster."""
    return {"PATH": host.path, "LANG": "C.UTF-8", "PYDANTIC_DISABLE_PLUGINS": "__all__"}


class Interpreter(Record):
    """A Python installation, as a box must see it."""

    executable: Path
    prefixes: tuple[Path, ...]
    packages: tuple[Path, ...]
    """Its site-packages folders; for a virtual environment also those of its base interpreter."""


def load(environment: Mapping[str, str]) -> Host:
    """Read the host's configuration; raise `HostError`."""
    config, state = config_file(environment), state_folder(environment)
    try:
        raw = tomllib.loads(config.read_text("utf-8")) if config.is_file() else {}
        return Host.model_validate({"state": state, "path": environment.get("PATH", os.defpath)} | raw)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise HostError(f"{config}: {error}") from None
    except ValidationError as error:
        raise HostError(f"{config}: {explain_validation(error, Host, config.name)}") from None


@functools.cache
def interpreter(executable: Path) -> Interpreter:
    """Ask an interpreter where its files are; raise `HostError` if it does not run."""
    ask = (
        "import json, site, sys, sysconfig\n"
        "base = sysconfig.get_paths(vars={'base': sys.base_prefix, 'platbase': sys.base_prefix})\n"
        "folders = {*site.getsitepackages(), base['purelib'], base['platlib']}\n"
        "print(json.dumps([sys.prefix, sys.base_prefix, sorted(folders)]))"
    )
    try:
        done = subprocess.run([executable, "-I", "-c", ask], capture_output=True, text=True, timeout=30, check=True)
        prefix, base, packages = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError) as error:
        raise HostError(f"{executable} does not run as a Python interpreter, see host.toml: {error}") from None
    return Interpreter(
        executable=executable,
        prefixes=tuple(dict.fromkeys((Path(prefix), Path(base)))),
        packages=tuple(Path(p) for p in packages),
    )


def fingerprint() -> dict[str, str]:
    """Return what makes two measurements comparable: processor, cores, kernel, Python."""
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line for line in info.read_text("utf-8").splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    system = os.uname()
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "kernel": f"{system.sysname} {system.release} {system.machine}",
        "python": sys.version.split()[0],
    }
