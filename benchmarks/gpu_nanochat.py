"""The GPU check of nanochat_d12: `python -m benchmarks.gpu_nanochat --from CLONE`.

Upstream's recipe on made-up text, tokenizer and items, with a vocabulary as large as the real one: a few steps
at depth 12 on one GPU, then all serving boxes, by the whole harness. Prints upstream's lines about its GPU and steps,
the seconds of every box, and the metrics. On such text only the presence of the metrics means something.
"""

import os
import re
import tempfile
from pathlib import Path

import click

from lineage_repo.model.measurement import Measurement
from lineage_repo.progress import progress_to
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.commands.task_prepare import Preparation
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor
from tests.support import nanochat_raw

NAME, VARIANT = "nanochat_d12", "one_gpu"
VOCABULARY, DOCUMENTS = 32_768, 20_000
SAID = (r"GPU: .+", r"Peak memory usage: .+")
"""Lines that upstream logs only on a GPU, or that say how much of it was used."""


@click.command()
@click.option("--from", "source", required=True, help="A clone of upstream's repository.")
@click.option("--steps", type=click.IntRange(2), default=20, show_default=True, help="Steps of training.")
@click.option("--rows", type=click.IntRange(1, 128), default=16, show_default=True, help="Rows in a pass of the GPU.")
def main(source: str, *, steps: int, rows: int) -> None:
    """Check the task on this host's GPU."""
    host = hosts.load(os.environ)
    with tempfile.TemporaryDirectory(prefix="espalier-gpu-") as scratch:
        task = prepare_task(Path(scratch), source, host)
        found, log = run_boxed(Path(scratch), task, host, shorten(task.read_start(), steps, rows))
    click.echo("\n".join([*find_gpu_lines(log), *format_measurement(found)]))


def prepare_task(folder: Path, source: str, host: Host) -> TaskFolder:
    """Prepare the task for one GPU, with upstream's recipe and made-up data in the layout of the real ones."""
    raw = nanochat_raw.make(folder / "raw", documents=DOCUMENTS, vocabulary=VOCABULARY)
    nanochat_raw.byte_table(raw)
    making = Preparation(find_task(NAME), folder / "task", VARIANT, host.evaluator_python)
    making.copy()
    making.make_recipe(source)
    making.lay_out_data(raw, dry_run=False)
    return TaskFolder.load(folder / "task")


def shorten(files: dict[str, bytes], steps: int, rows: int) -> dict[str, bytes]:
    """Return the recipe with a few steps of eight passes each."""
    program = files["train.py"].decode()
    few = f'"run": "dummy", "num-iterations": {steps}, "total-batch-size": {8 * rows * 2048},'
    for old, new in {'"run": "dummy",': few, "ROWS = 32": f"ROWS = {rows}"}.items():
        if old not in program:
            raise click.ClickException(f"train.py has no {old!r} to shorten it at: change this with the adapter")
        program = program.replace(old, new)
    return {**files, "train.py": program.encode()}


def run_boxed(folder: Path, task: TaskFolder, host: Host, files: dict[str, bytes]) -> tuple[Measurement, str]:
    """Measure one trial by the harness; return it and its training log. Raise with the fault if it has no score."""
    campaign = Campaign.create(folder / "campaign", task)
    job = campaign.paths.trials / "gpu"
    job.mkdir()
    with progress_to(click.echo):
        found = measure(campaign, files, job, LocalExecutor(host), n_seeds=1)
    logs = [path.read_text("utf-8", errors="replace") for path in sorted(job.rglob("logs/*.log"))]
    if found.measurement is None or found.fault:
        click.echo("\n".join(log[-3000:] for log in logs))
        raise click.ClickException(found.fault.failure if found.fault else "no measurement")
    return found.measurement, next(log for log in logs if "base_train" in log or "tok/sec" in log)


def find_gpu_lines(log: str) -> list[str]:
    """Return upstream's lines about its GPU and its last step; raise if it used none."""
    matches = [re.search(pattern, log) for pattern in SAID]
    if not all(matches):
        raise click.ClickException("the training's log names no GPU: it ran without one")
    steps = re.findall(r"dt: ([\d.]+)ms \| tok/sec: ([\d,]+)", log)
    return [*(match[0] for match in matches if match), f"last step: {steps[-1][0]} ms, {steps[-1][1]} tokens a second"]


def format_measurement(found: Measurement) -> list[str]:
    """Format the seconds of every box, and the metrics."""
    boxes = [f"{run.phase:14} {run.elapsed_s:7.1f} s, READY after {run.setup_s:.1f} s" for run in found.phases]
    return [*boxes, *(f"{name:14} {values[0]:9.4f}" for name, values in found.metrics.items())]


if __name__ == "__main__":
    main()
