"""The GPU check of cifar10_airbench96: `python -m benchmarks.gpu_airbench --from CLONE`.

Upstream's recipe on as many made-up images as CIFAR-10 has: once in a box to see what it used of the GPU, then each
seed by the whole harness and as a bare process, in turn. Prints both times and their ratio. A seed of either takes
minutes, most of them compiling before READY.
"""

import os
import tempfile
from pathlib import Path
from statistics import fmean

import click

from benchmarks import bare, cifar
from lineage_repo.model.measurement import Measurement, Record
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.commands.task_prepare import Preparation
from mcp_server.sandbox import host as hosts
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

NAME = "cifar10_airbench96"
PER_BATCH = 10_000
INPUTS = ("train/train_x.npy", "train/train_y.npy", "hidden/test_x.npy")
END = "os._exit(0)"
"""How train.py ends; `LOOK` is inserted before it."""
LOOK = """
assert torch.cuda.is_available(), "no GPU in the box"
assert torch.cuda.device_count() == 1, f"{torch.cuda.device_count()} GPUs in the box"
assert all(weight.is_cuda for model in models for weight in model.parameters()), "a net is not on the GPU"
used = torch.cuda.max_memory_allocated()
assert used > 500_000_000, f"only {used} bytes of the GPU were used"
print(f"in the box: {torch.cuda.get_device_name()}, torch {torch.__version__}, {used / 1e9:.1f} GB used")
"""


class Pair(Record):
    """One seed's times and accuracies, by the harness and bare; seconds from GO to the end."""

    boxed_s: float
    bare_s: float
    boxed_ready_s: float
    bare_ready_s: float
    boxed_accuracy: float
    bare_accuracy: float

    def format(self) -> str:
        """One line of the table."""
        return (
            f"boxed {self.boxed_s:7.3f} s (READY {self.boxed_ready_s:5.1f} s, accuracy {self.boxed_accuracy:.4f})    "
            f"bare {self.bare_s:7.3f} s (READY {self.bare_ready_s:5.1f} s, accuracy {self.bare_accuracy:.4f})"
        )


@click.command()
@click.option("--from", "source", required=True, help="A clone of upstream's repository.")
@click.option("--look/--no-look", default=True, help="Whether to look into a box first.")
@click.option(
    "--seeds", type=click.IntRange(0, 10), default=2, show_default=True, help="Seeds of each way; 0: no times."
)
@click.option("--per-batch", type=click.IntRange(1000), default=PER_BATCH, show_default=True, help="Images a batch.")
def main(source: str, *, look: bool, seeds: int, per_batch: int) -> None:
    """Check the task on this host's GPU."""
    host = hosts.load(os.environ)
    with tempfile.TemporaryDirectory(prefix="espalier-gpu-") as scratch:
        task = prepare_task(Path(scratch), source, per_batch, host)
        if look:
            click.echo(check_gpu_use(Path(scratch) / "look", task, host))
        pairs: list[Pair] = []
        for i in range(seeds):
            pairs.append(times := compare_seed(Path(scratch) / str(i), task, host, i))
            click.echo(f"seed {i}    {times.format()}")
    if pairs:
        ratio = fmean(p.boxed_s for p in pairs) / fmean(p.bare_s for p in pairs)
        click.echo(f"ratio     {ratio:.4f} boxed to bare, from GO to the end, over {seeds} seeds")


def prepare_task(folder: Path, source: str, per_batch: int, host: Host) -> TaskFolder:
    """Prepare the task with upstream's recipe and made-up images, in the layout of the real ones."""
    cifar.write(folder / "raw", per_batch)
    making = Preparation(find_task(NAME), folder / "task", None, host.evaluator_python)
    making.copy()
    making.make_recipe(source)
    making.lay_out_data(folder / "raw", dry_run=False)
    return TaskFolder.load(folder / "task")


def check_gpu_use(folder: Path, task: TaskFolder, host: Host) -> str:
    """Return what the recipe reports in its box about its GPU; raise if it used none."""
    files = task.read_start()
    program = files["train.py"].decode()
    if END not in program:
        raise click.ClickException(f"train.py has no {END!r} to insert the check at: change END here with the adapter")
    run_boxed(folder, task, host, {**files, "train.py": program.replace(END, LOOK + END).encode()})
    logs = (path.read_text("utf-8", errors="replace") for path in folder.rglob("logs/*") if path.is_file())
    return next(line for log in logs for line in log.splitlines() if line.startswith("in the box: "))


def compare_seed(folder: Path, task: TaskFolder, host: Host, seed: int) -> Pair:
    """Measure one seed by the harness, then one of the same program as a bare process."""
    inside = run_boxed(folder, task, host, task.read_start())
    data = task.path / "data"
    alone = bare.run(
        host.recipe_python, task.path / "recipe" / "train.py", [data / n for n in INPUTS], folder / "bare", seed
    )
    predicted, truth = (alone.out / "pred.u8").read_bytes(), (data / "hidden" / "test_y.npy").read_bytes()[128:]
    right = sum(a == b for a, b in zip(predicted, truth, strict=True))
    (run,) = inside.phases
    return Pair(
        boxed_s=run.elapsed_s,
        bare_s=alone.elapsed_s,
        boxed_ready_s=run.setup_s,
        bare_ready_s=alone.ready_s,
        boxed_accuracy=inside.metrics["accuracy"][0],
        bare_accuracy=right / len(truth),
    )


def run_boxed(folder: Path, task: TaskFolder, host: Host, files: dict[str, bytes]) -> Measurement:
    """Measure one seed by the harness; raise with the fault's line if it has no score."""
    campaign = Campaign.create(folder / "campaign", task)
    job = campaign.paths.trials / "gpu"
    job.mkdir()
    found = measure(campaign, files, job, LocalExecutor(host), n_seeds=1)
    if found.measurement is None or found.fault:
        raise click.ClickException(found.fault.failure if found.fault else "no measurement")
    return found.measurement


if __name__ == "__main__":
    main()
