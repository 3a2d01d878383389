"""Every check that needs a GPU: `python -m benchmarks.gpu --clones FOLDER -o gpu.md`.

FOLDER holds clones of the upstream repositories, `cifar10-airbench`, `parameter-golf` and `nanochat`. Each check runs a
task's shortened start through the whole harness, on one GPU and made-up data. The output also goes to a file, with date
and hardware, in the form for docs/benchmarks.md. If a check fails, the next one still runs.
"""

import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

CHECKS = {
    "cifar10_airbench96": ("gpu_airbench", "cifar10-airbench"),
    "parameter_golf": ("gpu_golf", "parameter-golf"),
    "nanochat_d12": ("gpu_nanochat", "nanochat"),
}
"""Module and clone of each task."""


@click.command()
@click.option(
    "--clones", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True, help="Folder of clones."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("gpu.md"), show_default=True)
@click.option("--only", type=click.Choice(list(CHECKS)), multiple=True, help="This task; may be given again.")
def main(clones: Path, output: Path, only: tuple[str, ...]) -> None:
    """Run the checks one after the other; exit with 1 if one failed."""
    names = only or tuple(CHECKS)
    if lost := [clone for _, clone in map(CHECKS.__getitem__, names) if not (clones / clone).exists()]:
        raise click.ClickException(f"{clones} has no {', '.join(lost)}: git clone them there")
    if shutil.which("nvidia-smi") is None:
        raise click.ClickException("this machine has no nvidia-smi, so it has no NVIDIA GPU to check")
    parts = [f"{datetime.now(UTC):%F %H:%M} UTC, {describe_hardware()}\n"]
    output.write_text(parts[0], "utf-8")
    failed: list[str] = []
    for name in names:
        code, text = run_check(name, clones)
        parts.append(f"## {name}{'' if code == 0 else ' FAILED'}\n\n```\n{text}```\n")
        output.write_text("\n".join(parts), "utf-8")
        failed += [name] if code else []
    click.echo(f"written to {output}")
    if failed:
        raise click.ClickException(f"failed: {', '.join(failed)}")


def describe_hardware() -> str:
    """Describe the GPUs of this machine and their driver."""
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return " | ".join(done.stdout.strip().splitlines()) or done.stderr.strip()


def run_check(name: str, clones: Path) -> tuple[int, str]:
    """Run one check and show its output as it comes; return exit code and output."""
    module, clone = CHECKS[name]
    begun, lines = time.monotonic(), list[str]()
    argv = [sys.executable, "-u", "-m", f"benchmarks.{module}", "--from", str(clones / clone)]
    click.echo(f"== {name}")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as run:
        for line in run.stdout or ():
            click.echo(line, nl=False)
            lines.append(line)
    return run.returncode, f"{''.join(lines)}{time.monotonic() - begun:.0f} s in all\n"


if __name__ == "__main__":
    main()
