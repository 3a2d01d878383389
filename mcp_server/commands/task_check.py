"""`espalier task check`: what a newcomer learns of a task before a campaign is frozen over it."""

import os
import tempfile
from pathlib import Path
from statistics import fmean

import click

from lineage_repo.cli.options import json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import LEVELS, Clock, Isolation, Margin, Measurement, Record, Status
from lineage_repo.prompting.queries import margin_text
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.task.lint import find_oversights
from lineage_repo.verdict.judge import judge, values_per_seed
from mcp_server.commands.calibrate import require
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.calibration import choose_clock
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.job import JobResult
from mcp_server.trial.preflight import preflight


class TaskCheck(Record):
    """What was found of a task."""

    task: str
    n_seeds: int
    """How many seeds of the start were measured."""
    clock: Clock
    metrics: dict[str, float]
    """Means over these seeds, the harness's own metrics included."""
    margins: tuple[Margin, ...]
    """The room under every gate and limit; negative means missed."""
    failure: str | None
    """Why a campaign can't begin with this start; None where it can."""
    trial_s: float
    """Wall seconds that one trial of all the manifest's seeds takes about: prepare, boxes and score."""
    isolation: str
    warnings: tuple[str, ...]
    """What the author probably did not mean."""


@click.command("check")
@click.argument("path")
@click.option(
    "--seeds", type=click.IntRange(1, 64), default=1, show_default=True, help="Seeds of the start to measure."
)
@click.option(
    "--isolation", type=click.Choice(LEVELS), default="bwrap", show_default=True, help="Least that must hold its boxes."
)
@json_option
def check(path: str, seeds: int, isolation: Isolation, as_json: bool) -> None:
    """Try the task in folder PATH (or a built-in one): manifest, knowledge, then the start in real boxes.

    Nothing is kept. Exits 1 where a campaign on it can't begin, with what is wrong.
    """
    source, host = find_task(path), hosts.load(os.environ)
    if not as_json:
        print_lines(_contents(source))
    with tempfile.TemporaryDirectory(prefix="espalier-check-") as scratch:
        campaign = Campaign.create(Path(scratch) / "check", source, isolation=isolation)
        for specialist in campaign.roster:
            system_prompt(campaign, specialist)
        found = try_start(campaign, seeds, host)
    if as_json:
        print_json({"schema": "espalier.task-check/1", **found.model_dump(mode="json")})
    else:
        print_lines(*_told(source.task, found))
    if found.failure:
        raise SystemExit(1)


def try_start(campaign: Campaign, seeds: int, host: Host) -> TaskCheck:
    """Measure seeds of the start in a campaign to be thrown away; raise `TaskError` without a measurement."""
    task, files = campaign.task, campaign.task_folder.read_start()
    if fault := preflight(task, files):
        raise TaskError(f"the start is not measurable: {fault.failure}")
    executor, clock = LocalExecutor(host), choose_clock(task.clock)
    require(executor, campaign.settings.isolation, task)
    outcome, _ = measure(
        campaign,
        files,
        campaign.paths.trials / "check",
        host=host,
        executor=executor,
        clock=clock,
        seeds=seeds,
        tell=print_progress,
    )
    if outcome.fault:
        for log in sorted((campaign.paths.trials / "check").glob("job-*/logs/*.log"))[-1:]:
            print_lines(f"--- the end of {log.name}", *_end(log), "---", err=True)
    return _found(campaign.task_folder, seeds, outcome)


def _end(log: Path) -> list[str]:
    return log.read_bytes()[-4000:].decode("utf-8", "replace").splitlines()[-15:]


def _found(source: TaskFolder, seeds: int, outcome: JobResult) -> TaskCheck:
    task, measurement = source.task, outcome.measurement
    if measurement is None:
        line = outcome.fault.failure if outcome.fault else "no measurement"
        raise TaskError(f"the start could not be measured, and its recipe is not why: {line}")
    verdict = judge(task, measurement, outcome.fault, None, None, {})
    scored = {} if outcome.fault else values_per_seed(task, measurement)
    return TaskCheck(
        task=task.name,
        n_seeds=seeds,
        clock=measurement.clock,
        metrics={name: fmean(values) for name, values in scored.items()},
        margins=verdict.margins,
        failure=None if verdict.status is Status.BASELINE else f"{verdict.status}: {verdict.failure}",
        trial_s=_trial_s(task, measurement),
        isolation=outcome.isolation["level"],
        warnings=tuple(find_oversights(source)),
    )


def _trial_s(task: Task, measurement: Measurement) -> float:
    once = sum(run.setup_s + run.wall_s for run in measurement.phases if run.seed_index is None)
    each = (
        sum(run.setup_s + run.wall_s for run in measurement.phases if run.seed_index is not None)
        + measurement.evaluator_s
    )
    return once + each * task.n_seeds / len(measurement.box_seeds)


def _contents(source: TaskFolder) -> str:
    task = source.task
    return (
        f"manifest  {task.name}: {len(task.phases)} phases, {len(source.read_start())} recipe files, "
        f"{len(task.specialists)} specialists, {task.n_seeds} seeds a trial"
    )


def _told(task: Task, found: TaskCheck) -> list[str]:
    lines = [f"knowledge the prompts of {', '.join(s.name for s in task.specialists)} have all their variables"]
    for name, value in found.metrics.items():
        lines.append(f"metric    {name} {value:.6g}" + (", the objective" if name == task.objective.metric else ""))
    lines += [f"margin    {margin_text(task, margin)}" for margin in found.margins]
    lines += [f"warning   {line}" for line in found.warnings]
    boxes = f"{found.clock} clock, isolation {found.isolation}"
    lines.append(f"trial     about {found.trial_s:.1f} s for {task.n_seeds} seeds, {boxes}")
    seeds = "1 seed" if found.n_seeds == 1 else f"{found.n_seeds} seeds"
    good = f"{found.task}: its start runs and passes its gates with {seeds}; `espalier calibrate` asks with all"
    lines.append(f"FAIL      {found.failure}" if found.failure else f"ok        {good}")
    return lines
