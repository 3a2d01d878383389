"""The bench's commands: calibrate, cancel, doctor. Environment variables are read at each command's entry."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.errors import HostError, SandboxError
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Isolation
from lineage_repo.prompting.queries import margin_text
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from mcp_server.sandbox import gpus
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.host import Host, interpreter
from mcp_server.sandbox.selftest import SelfTest
from mcp_server.trial.calibration import Noise, choose_clock, noise_of
from mcp_server.trial.calibration import calibrate as run_calibration
from mcp_server.trial.executor import LocalExecutor


def open_here(directory: Path) -> tuple[Campaign, Host]:
    """The campaign in `directory` and this host's configuration."""
    return Campaign.open(directory), hosts.load(os.environ)


def require(executor: LocalExecutor, level: Isolation, task: Task) -> None:
    """Refuse to go on where boxes are held by less than the campaign requires, or GPUs lack."""
    if problem := executor.check(level) or gpus.missing_gpus(task):
        raise HostError(problem)


@click.command()
@campaign_dir
@click.option(
    "--repeats", type=click.IntRange(1, 50), default=2, show_default=True, help="Measurements of the start to add."
)
@click.option("--if-needed", is_flag=True, help="Do nothing where the campaign has a baseline already.")
@json_option
def calibrate(directory: Path, repeats: int, if_needed: bool, as_json: bool) -> None:
    """Measure the unmodified start REPEATS times; its spread is the noise that a keep must clear.

    The first call also records the start as trial 0000. Every repeat is an entry of its own, so with --if-needed an
    interrupted calibration goes on where it stopped.
    """
    campaign, host = open_here(directory)
    executor = LocalExecutor(host)
    require(executor, campaign.settings.isolation, campaign.task)
    done = len(campaign.lineage.refresh().calibrations)
    if if_needed:
        repeats = max(0, repeats - done)
        if campaign.lineage.best:
            campaign.lineage.repair_refs()
            print_progress(f"calibrated already: {done} measurements")
            if not as_json:
                return None
            repeats = 0
    folder = shlex.quote(str(directory))
    if repeats or not campaign.lineage.best:
        try:
            run_calibration(campaign, repeats, host, executor, print_progress)
        except KeyboardInterrupt:
            made = len(campaign.lineage.refresh().calibrations)
            wanted = (done if if_needed else 0) + repeats
            again = f"espalier calibrate {folder} --repeats {wanted} --if-needed"
            print_progress(f"interrupted with {made} measurements recorded; to go on: {again}")
            raise SystemExit(130) from None
    found = noise_of(campaign)
    if as_json:
        return print_json({"schema": "espalier.calibrate/1", **found.model_dump(mode="json")})
    _tell_noise(found, campaign.task)
    return print_lines(
        f"next      espalier run {folder} --model standin --trials {len(campaign.lineage.registered) + 7}"
    )


def _tell_noise(found: Noise, task: Task) -> None:
    objective, metric = task.objective, task.objective.metric
    print_lines(f"baseline  {metric} {objective.text(found.baseline)}")
    for name, spread in found.spreads.items():
        print_lines(
            f"noise     {name} sd {spread.sd:.3g} per seed, mean {spread.mean:.5g} over {spread.n} seeds of the start"
        )
    print_lines(
        f"smallest  gain that counts: {found.smallest_gain:.3g} {objective.unit} over trial {found.best:04d}, "
        f"with {found.n_seeds} seeds a trial"
    )
    for margin in found.margins:
        print_lines(f"margin    {margin_text(task, margin)}")
    print_lines(f"clock     {found.clock}")
    for warning in found.warnings:
        print_lines(f"warning   {warning}")


@click.command()
@campaign_dir
@click.argument("trial", type=click.IntRange(1))
def cancel(directory: Path, trial: int) -> None:
    """End running TRIAL: its boxes die, and it is recorded as harness_abort."""
    campaign, _ = open_here(directory)
    running = {s.number for s in campaign.lineage.refresh().running()}
    if trial not in running:
        known = ", ".join(f"{n:04d}" for n in sorted(running)) or "none"
        raise click.ClickException(f"trial {trial:04d} is not running; running: {known}")
    paths = campaign.paths.trial(trial)
    if locks.is_alive(paths.folder):
        paths.cancel.touch()
        print_lines(
            f"trial {trial:04d} is being cancelled; `espalier show {directory} {trial}` says when it is recorded"
        )
    else:
        campaign.recover()
        print_lines(f"trial {trial:04d} had no runner any more; it is recorded as harness_abort")


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check what this machine can run; exits 4 where nothing can be measured."""
    host = hosts.load(os.environ)
    checks = {
        "python": (sys.version_info >= (3, 11), sys.version.split()[0]),
        "git": _version("git"),
        "sandbox": _sandbox(host),
        "clock": (True, f"{choose_clock('cpu')} seconds per box"),
        "recipe interpreter": _interpreter(host.recipe_python),
        "evaluator interpreter": _interpreter(host.evaluator_python),
        "gpus": (True, f"{len(gpus.list_gpus())} for trials that ask for any"),
        "slots": (True, f"{host.slots} trials at once, locks in {host.state}"),
        "disk": (
            shutil.disk_usage(Path.home()).free > 1 << 30,
            f"{shutil.disk_usage(Path.home()).free / (1 << 30):.0f} GiB free",
        ),
    }
    if as_json:
        found = {name: {"ok": ok, "detail": text} for name, (ok, text) in checks.items()}
        print_json({"schema": "espalier.doctor/1", "checks": found})
    else:
        for name, (ok, text) in checks.items():
            print_lines(f"{'ok  ' if ok else 'FAIL'}  {name:22} {text}")
    if not all(ok for ok, _ in checks.values()):
        raise SystemExit(4)


def _sandbox(host: Host) -> tuple[bool, str]:
    try:
        found = SelfTest.run(host)
    except (SandboxError, HostError) as error:
        return False, str(error)
    open_ = f"; open: {'; '.join(found.open)}" if found.open else ""
    return found.level != "none", f"isolation {found.level}: {found.summary} checks passed{open_}"


def _version(program: str) -> tuple[bool, str]:
    if not shutil.which(program):
        return False, f"{program} is not installed"
    return True, subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def _interpreter(path: Path) -> tuple[bool, str]:
    try:
        return True, str(interpreter(path).executable)
    except HostError as error:
        return False, str(error)
