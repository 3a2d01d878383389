"""`espalier task check`: try a task before a campaign freezes it."""

import os
import tempfile
from pathlib import Path
from statistics import fmean

import click

from lineage_repo.cli.options import json_option
from lineage_repo.cli.output import print_json, print_lines, show_progress
from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import LEVELS, Clock, Isolation, Margin, Measurement, Record, Status
from lineage_repo.model.paths import TrialPaths
from lineage_repo.prompting.queries import margin_text
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.task.lint import find_oversights
from lineage_repo.verdict.judge import judge
from lineage_repo.verdict.margins import values_per_seed
from mcp_server.sandbox import host as hosts
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import Executor, LocalExecutor, require
from mcp_server.trial.job import JobResult
from mcp_server.trial.preflight import preflight


class TaskCheck(Record):
    """What the check measured."""

    task: str
    n_seeds: int
    """Seeds of the start that were measured."""
    clock: Clock
    metrics: dict[str, float]
    """Means over these seeds, the harness's own metrics included."""
    margins: tuple[Margin, ...]
    """The room under every gate and limit; negative means missed."""
    failure: str | None
    """Why a campaign can't begin with this start; None if it can."""
    trial_s: float
    """About how many wall seconds one trial of all the manifest's seeds takes: prepare, boxes and score."""
    isolation: str
    warnings: tuple[str, ...]
    """What the author probably did not intend."""


@click.command("check")
@click.argument("path")
@click.option(
    "--seeds", type=click.IntRange(1, 64), default=1, show_default=True, help="Seeds of the start to measure."
)
@click.option(
    "--isolation",
    type=click.Choice(LEVELS),
    default="bwrap",
    show_default=True,
    help="The least that must isolate its boxes.",
)
@json_option
def check(path: str, seeds: int, isolation: Isolation, as_json: bool) -> None:
    """Try the task in folder PATH (or a built-in one): manifest, knowledge, then the start in real boxes.

    Nothing is kept. Exits 1 if a campaign on it can't begin, and says why.
    """
    source, executor = find_task(path), LocalExecutor(hosts.load(os.environ))
    if not as_json:
        print_lines(_format_manifest(source))
    with tempfile.TemporaryDirectory(prefix="espalier-check-") as scratch:
        campaign = Campaign.create(Path(scratch) / "check", source, isolation=isolation)
        for specialist in campaign.roster:
            system_prompt(campaign, specialist)
        with show_progress():
            result = try_start(campaign, seeds, executor)
    if as_json:
        print_json({"schema": "espalier.task-check/2", **result.model_dump(mode="json")})
    else:
        print_lines(*_format_check(source.task, result))
    if result.failure:
        raise SystemExit(1)


def try_start(campaign: Campaign, n_seeds: int, executor: Executor) -> TaskCheck:
    """Measure `n_seeds` seeds of the start in a campaign that is thrown away afterwards.

    Raises:
        TaskError: the start fails its preflight, or the harness or the evaluator failed.
        HostError: this host can't measure the task.
    """
    task, files = campaign.task, campaign.task_folder.read_start()
    if fault := preflight(task, files):
        raise TaskError(f"the start is not measurable: {fault.failure}")
    require(executor, campaign)
    folder = campaign.paths.trials / "check"
    result = measure(campaign, files, folder, executor, n_seeds=n_seeds)
    if result.fault:
        for log in TrialPaths(folder).box_logs[-1:]:
            print_lines(f"--- the end of {log.name}", *_last_lines(log), "---", err=True)
    return _judge_start(campaign.task_folder, n_seeds, result)


def _last_lines(log: Path) -> list[str]:
    return log.read_bytes()[-4000:].decode("utf-8", "replace").splitlines()[-15:]


def _judge_start(source: TaskFolder, n_seeds: int, result: JobResult) -> TaskCheck:
    task, measurement, comparison = source.task, result.measurement, result.comparison()
    if measurement is None or comparison is None:
        raise TaskError(f"the start could not be measured, and its recipe is not why: {result.failure}")
    verdict = judge(task, [comparison], result.fault, None, {})
    scored = {} if result.fault else values_per_seed(task, measurement)
    return TaskCheck(
        task=task.name,
        n_seeds=n_seeds,
        clock=measurement.clock,
        metrics={name: fmean(values) for name, values in scored.items()},
        margins=verdict.margins,
        failure=None if verdict.status is Status.BASELINE else f"{verdict.status}: {verdict.failure}",
        trial_s=_estimate_trial_s(task, measurement),
        isolation=result.isolation["level"],
        warnings=tuple(find_oversights(source)),
    )


def _estimate_trial_s(task: Task, measurement: Measurement) -> float:
    once = sum(run.setup_s + run.wall_s for run in measurement.phases if run.seed_index is None)
    each = (
        sum(run.setup_s + run.wall_s for run in measurement.phases if run.seed_index is not None)
        + measurement.evaluator_s
    )
    return once + each * task.n_seeds / len(measurement.box_seeds)


def _format_manifest(source: TaskFolder) -> str:
    task = source.task
    return (
        f"manifest  {task.name}: {len(task.phases)} phases, {len(source.read_start())} recipe files, "
        f"{len(task.specialists)} specialists, {task.n_seeds} seeds a trial"
    )


def _format_check(task: Task, result: TaskCheck) -> list[str]:
    lines = [f"knowledge the prompts of {', '.join(s.name for s in task.specialists)} have all their variables"]
    for name, value in result.metrics.items():
        lines.append(f"metric    {name} {value:.6g}" + (", the objective" if name == task.objective.metric else ""))
    lines += [f"margin    {margin_text(task, margin)}" for margin in result.margins]
    lines += [f"warning   {line}" for line in result.warnings]
    boxes = f"{result.clock} clock, isolation {result.isolation}"
    lines.append(f"trial     about {result.trial_s:.1f} s for {task.n_seeds} seeds, {boxes}")
    seeds = "1 seed" if result.n_seeds == 1 else f"{result.n_seeds} seeds"
    good = f"{result.task}: its start runs and passes its gates with {seeds}; `espalier calibrate` asks with all"
    lines.append(f"FAIL      {result.failure}" if result.failure else f"ok        {good}")
    return lines
