"""`espalier doctor`: what this machine can run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from lineage_repo.cli.options import json_option
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.errors import HostError, SandboxError
from mcp_server.sandbox import gpus
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.cgroup import choose_clock
from mcp_server.sandbox.host import Host, interpreter
from mcp_server.sandbox.selftest import SelfTest


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check what this machine can run; exits 4 if it can measure nothing."""
    host = hosts.load(os.environ)
    free = shutil.disk_usage(Path.home()).free
    checks = {
        "python": (sys.version_info >= (3, 11), sys.version.split()[0]),
        "git": _check_program("git"),
        "sandbox": _check_sandbox(host),
        "clock": (True, f"{choose_clock('cpu')} seconds per box"),
        "recipe interpreter": _check_interpreter(host.recipe_python),
        "evaluator interpreter": _check_interpreter(host.evaluator_python),
        "gpus": (True, f"{len(gpus.list_gpus())} for trials that ask for any"),
        "slots": (True, f"{host.slots} trials at once, locks in {host.state}"),
        "disk": (free > 1 << 30, f"{free / (1 << 30):.0f} GiB free"),
    }
    if as_json:
        rows = {name: {"ok": ok, "detail": text} for name, (ok, text) in checks.items()}
        print_json({"schema": "espalier.doctor/1", "checks": rows})
    else:
        print_lines(*(f"{'ok  ' if ok else 'FAIL'}  {name:22} {text}" for name, (ok, text) in checks.items()))
    if not all(ok for ok, _ in checks.values()):
        raise SystemExit(4)


def _check_sandbox(host: Host) -> tuple[bool, str]:
    try:
        test = SelfTest.run(host)
    except (SandboxError, HostError) as error:
        return False, str(error)
    open_ = f"; open: {'; '.join(test.open)}" if test.open else ""
    return test.level != "none", f"isolation {test.level}: {test.summary} checks passed{open_}"


def _check_program(program: str) -> tuple[bool, str]:
    if not shutil.which(program):
        return False, f"{program} is not installed"
    return True, subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def _check_interpreter(path: Path) -> tuple[bool, str]:
    try:
        return True, str(interpreter(path).executable)
    except HostError as error:
        return False, str(error)
