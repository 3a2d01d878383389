"""The GPU check of parameter_golf: `python -m benchmarks.gpu_golf --from CLONE`.

Upstream's start with one minute of training on one GPU, on made-up text, through the whole harness: trained, quantized,
packed, and scored chunk by chunk. Prints the time of each phase and whether it learned. About ten minutes, most of them
compiling before READY.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import click

from benchmarks import tokens
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

UNIFORM, DRAWN = 9.011, 7.31
"""Nats a token of a uniform guess, and of a model that knows how the text is drawn."""
_CHUNKS = 8


@click.command()
@click.option("--from", "source", required=True, help="A clone of upstream's repository.")
@click.option(
    "--chunks", type=click.IntRange(2), default=_CHUNKS, show_default=True, help="Of 32,768 tokens, to predict."
)
def main(source: str, chunks: int) -> None:
    """Check the task on one GPU of this host."""
    host = hosts.load(os.environ)
    with tempfile.TemporaryDirectory(prefix="espalier-gpu-") as scratch:
        task = prepare_task(Path(scratch), source, chunks, host)
        files = task.read_start()
        if not _has_brotli(host):
            click.echo("brotli    missing in recipe_python: packed with lzma instead")
            files = replace_brotli(files)
        found, log = run_boxed(Path(scratch) / "run", task, host, files)
    lines = [line for line in log.splitlines() if "train_loss" in line or "peak memory" in line]
    click.echo("\n".join(f"train     {line}" for line in lines[-3:]))
    for run in found.phases:
        click.echo(f"{run.phase:10}{run.elapsed_s:8.1f} s from GO, READY after {run.setup_s:.1f} s")
    (nats,) = found.metrics["nats_per_token"]
    predict = found.phases[-1].elapsed_s
    click.echo(f"predict   {chunks * 32_768 / predict:,.0f} tokens/s, adaptation included")
    click.echo(f"bytes     {found.source_bytes:,} source + {found.phases[1].artifact_bytes:,} weights")
    click.echo(f"nats      {nats:.4f} a token; a guess has {UNIFORM}, the text {DRAWN}")
    if not DRAWN - 0.05 < nats < UNIFORM:
        raise click.ClickException("it did not learn, or it knows more than can be known")


def prepare_task(folder: Path, source: str, chunks: int, host: Host) -> TaskFolder:
    """Prepare the variant `short` with upstream's recipe and made-up text."""
    tokens.write(folder / "raw", 20_000_000, chunks * 32_768 + 1)
    making = Preparation(find_task("parameter_golf"), folder / "task", "short", host.evaluator_python)
    making.copy()
    making.make_recipe(source)
    making.lay_out_data(folder / "raw", dry_run=False)
    return TaskFolder.load(folder / "task")


def replace_brotli(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the start with lzma, which every Python has, in place of brotli."""
    program, driver = files["train_gpt.py"].decode(), files["train.py"].decode()
    for text, part in ((program, "compressor = 'brotli'"), (driver, "import brotli")):
        if part not in text:
            raise click.ClickException(f"the start has no {part!r}: change benchmarks/gpu_golf.py with the adapter")
    return files | {
        "train_gpt.py": program.replace("compressor = 'brotli'", "compressor = 'lzma'").encode(),
        "train.py": driver.replace("import brotli", "import lzma").encode(),
    }


def run_boxed(folder: Path, task: TaskFolder, host: Host, files: dict[str, bytes]) -> tuple[Measurement, str]:
    """Measure one seed by the harness; return it and the training log. Raise with the fault if it has no score."""
    campaign = Campaign.create(folder, task)
    job = campaign.paths.trials / "gpu"
    job.mkdir()
    with progress_to(click.echo):
        found = measure(campaign, files, job, LocalExecutor(host), n_seeds=1)
    logs = {path.name: path.read_text("utf-8", errors="replace") for path in sorted(job.rglob("logs/*.log"))}
    if found.measurement is None or found.fault:
        for name, text in logs.items():
            click.echo(f"== {name}\n{text[-3000:]}")
        raise click.ClickException(found.fault.failure if found.fault else "no measurement")
    return found.measurement, logs["train-0.log"]


def _has_brotli(host: Host) -> bool:
    argv = [host.recipe_python, "-c", "import brotli"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
