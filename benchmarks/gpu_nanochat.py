"""The GPU check of nanochat_d12: `python -m benchmarks.gpu_nanochat --from CLONE`.

Upstream's recipe on text, tokenizer and items that we make up, with a vocabulary as large as the real one: a few steps
at depth 12 on one GPU, then all serving boxes, by the whole harness. Prints what upstream says of its GPU and steps,
the seconds of every box and the metrics, which mean nothing on such text; that there are any does.
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
"""Lines of upstream's own log that it prints on a GPU alone, or that tell what it used of it."""


@click.command()
@click.option("--from", "source", required=True, help="A clone of upstream's repository.")
@click.option("--steps", type=click.IntRange(2), default=20, show_default=True, help="Steps of training.")
@click.option("--rows", type=click.IntRange(1, 128), default=16, show_default=True, help="Rows in a pass of the GPU.")
def main(source: str, *, steps: int, rows: int) -> None:
    """Check the task on this host's GPU."""
    host = hosts.load(os.environ)
    with tempfile.TemporaryDirectory(prefix="espalier-gpu-") as scratch:
        task = prepared(Path(scratch), source, host)
        found, log = boxed(Path(scratch), task, host, shortened(task.start(), steps, rows))
    click.echo("\n".join([*looked(log), *told(found)]))


def prepared(folder: Path, source: str, host: Host) -> TaskFolder:
    """The task for one GPU, with upstream's recipe and data of our own in the layout of the real ones."""
    raw = nanochat_raw.make(folder / "raw", documents=DOCUMENTS, vocabulary=VOCABULARY)
    nanochat_raw.byte_table(raw)
    making = Preparation(find_task(NAME), folder / "task", VARIANT, host.evaluator_python)
    making.copy()
    making.make_recipe(source)
    making.lay_out_data(raw, dry_run=False)
    return TaskFolder.load(folder / "task")


def shortened(files: dict[str, bytes], steps: int, rows: int) -> dict[str, bytes]:
    """The recipe with a few steps of eight passes each."""
    program = files["train.py"].decode()
    few = f'"run": "dummy", "num-iterations": {steps}, "total-batch-size": {8 * rows * 2048},'
    for old, new in {'"run": "dummy",': few, "ROWS = 32": f"ROWS = {rows}"}.items():
        if old not in program:
            raise click.ClickException(f"train.py has no {old!r} to shorten it at: change this with the adapter")
        program = program.replace(old, new)
    return {**files, "train.py": program.encode()}


def boxed(folder: Path, task: TaskFolder, host: Host, files: dict[str, bytes]) -> tuple[Measurement, str]:
    """One trial by the harness, and the log of its training; raise with the fault's line where it has no score."""
    campaign = Campaign.create(folder / "campaign", task)
    job = campaign.paths.trials / "gpu"
    job.mkdir()
    with progress_to(click.echo):
        found = measure(campaign, files, job, LocalExecutor(host), n_seeds=1)
    logs = [path.read_text("utf-8", errors="replace") for path in sorted(job.rglob("logs/*.log"))]
    if found.measurement is None or found.fault:
        click.echo("\n".join(log[-3000:] for log in logs))
        raise click.ClickException(found.fault.line if found.fault else "no measurement")
    return found.measurement, next(log for log in logs if "base_train" in log or "tok/sec" in log)


def looked(log: str) -> list[str]:
    """What upstream says of its GPU and its last step; raise where it used none."""
    said = [re.search(pattern, log) for pattern in SAID]
    if not all(said):
        raise click.ClickException("the training's log names no GPU: it ran without one")
    steps = re.findall(r"dt: ([\d.]+)ms \| tok/sec: ([\d,]+)", log)
    return [*(found[0] for found in said if found), f"last step: {steps[-1][0]} ms, {steps[-1][1]} tokens a second"]


def told(found: Measurement) -> list[str]:
    """Seconds of every box, and the metrics."""
    boxes = [f"{run.phase:14} {run.elapsed_s:7.1f} s, READY after {run.setup_s:.1f} s" for run in found.phases]
    return [*boxes, *(f"{name:14} {values[0]:9.4f}" for name, values in found.metrics.items())]


if __name__ == "__main__":
    main()
