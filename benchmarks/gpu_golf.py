"""The GPU check of parameter_golf: `python -m benchmarks.gpu_golf --from CLONE`.

Upstream's start with one minute of training on one GPU, on made-up text, through the whole harness: trained, rounded,
packed, and heard out chunk by chunk. Prints what each phase took and whether it learned. About ten minutes, most of
them compiling before READY.
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
"""Nats a token of a guess, and of who knows how the text is drawn."""
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
        task = prepared(Path(scratch), source, chunks, host)
        files = task.start()
        if not _has_brotli(host):
            click.echo("brotli    missing in recipe_python: packed with lzma instead")
            files = without_brotli(files)
        found, log = measured(Path(scratch) / "run", task, host, files)
    said = [line for line in log.splitlines() if "train_loss" in line or "peak memory" in line]
    click.echo("\n".join(f"train     {line}" for line in said[-3:]))
    for run in found.phases:
        click.echo(f"{run.phase:10}{run.elapsed_s:8.1f} s from GO, READY after {run.setup_s:.1f} s")
    (nats,) = found.metrics["nats_per_token"]
    predict = found.phases[-1].elapsed_s
    click.echo(f"predict   {chunks * 32_768 / predict:,.0f} tokens/s, adaptation included")
    click.echo(f"bytes     {found.source_bytes:,} source + {found.phases[1].artifact_bytes:,} weights")
    click.echo(f"nats      {nats:.4f} a token; a guess has {UNIFORM}, the text {DRAWN}")
    if not DRAWN - 0.05 < nats < UNIFORM:
        raise click.ClickException("it did not learn, or it knows more than can be known")


def prepared(folder: Path, source: str, chunks: int, host: Host) -> TaskFolder:
    """The variant `short` with upstream's recipe and made-up text."""
    tokens.write(folder / "raw", 20_000_000, chunks * 32_768 + 1)
    making = Preparation(find_task("parameter_golf"), folder / "task", "short", host.evaluator_python)
    making.copy()
    making.make_recipe(source)
    making.lay_out_data(folder / "raw", dry_run=False)
    return TaskFolder.load(folder / "task")


def without_brotli(files: dict[str, bytes]) -> dict[str, bytes]:
    """The start with the compressor that every Python has."""
    program, driver = files["train_gpt.py"].decode(), files["train.py"].decode()
    for text, part in ((program, "compressor = 'brotli'"), (driver, "import brotli")):
        if part not in text:
            raise click.ClickException(f"the start has no {part!r}: change benchmarks/gpu_golf.py with the adapter")
    return files | {
        "train_gpt.py": program.replace("compressor = 'brotli'", "compressor = 'lzma'").encode(),
        "train.py": driver.replace("import brotli", "import lzma").encode(),
    }


def measured(folder: Path, task: TaskFolder, host: Host, files: dict[str, bytes]) -> tuple[Measurement, str]:
    """One seed by the harness and what training said; raise with the fault's line where there is no score."""
    campaign = Campaign.create(folder, task)
    job = campaign.paths.trials / "gpu"
    job.mkdir()
    with progress_to(click.echo):
        found = measure(campaign, files, job, LocalExecutor(host), n_seeds=1)
    logs = {path.name: path.read_text("utf-8", errors="replace") for path in sorted(job.rglob("logs/*.log"))}
    if found.measurement is None or found.fault:
        for name, text in logs.items():
            click.echo(f"== {name}\n{text[-3000:]}")
        raise click.ClickException(found.fault.line if found.fault else "no measurement")
    return found.measurement, logs["train-0.log"]


def _has_brotli(host: Host) -> bool:
    argv = [host.recipe_python, "-c", "import brotli"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
