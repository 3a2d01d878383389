"""The twin table: `python -m benchmarks.twins [TASK...]`. The start of each task, measured once as the manifest says.

Prints the score with its spread over seeds, the wall seconds of the trial, the evaluator's share of them, and the CPU
seconds of the boxes, which a busy machine stretches less.
"""

import os
import tempfile
import time
from pathlib import Path
from statistics import fmean, stdev

import click

from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.verdict.margins import values_per_seed
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

TWINS = ("parameter_golf_cpu", "nanochat_cpu", "airbench_cpu")


@click.command()
@click.argument("tasks", nargs=-1)
def main(tasks: tuple[str, ...]) -> None:
    """Measure the start of every twin, or of TASKS, once."""
    head = ("task", "seeds", "score", "sd", "trial s", "evaluator", "boxes CPU s")
    click.echo(f"{head[0]:20} {head[1]:>5} {head[2]:>22} {head[3]:>8} {head[4]:>8} {head[5]:>9} {head[6]:>11}")
    for name in tasks or TWINS:
        click.echo(measure_row(name))


def measure_row(name: str) -> str:
    """Measure a task's start and format its line of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        campaign = Campaign.create(Path(scratch) / "campaign", find_task(name))
        host = Host(state=Path(scratch) / "state", path=os.environ["PATH"])
        folder = campaign.paths.trials / "start"
        folder.mkdir()
        begun = time.monotonic()
        outcome = measure(
            campaign,
            campaign.task_folder.read_start(),
            folder,
            LocalExecutor(host),
        )
        wall = time.monotonic() - begun
    found, objective = outcome.measurement, campaign.task.objective
    if found is None or outcome.fault:
        return f"{name:20} failed: {outcome.fault.failure if outcome.fault else 'no measurement'}"
    values = values_per_seed(campaign.task, found)[objective.metric]
    cpu = sum(run.cpu_s or 0.0 for run in found.phases)
    score = f"{fmean(values):.{objective.digits}f} {objective.metric}"
    return (
        f"{name:20} {len(values):5} {score:>22} {stdev(values):8.4f} {wall:8.1f} "
        f"{found.evaluator_s / wall:9.1%} {cpu:11.1f}"
    )


if __name__ == "__main__":
    main()
