"""`espalier task prepare`: make a task folder that can be measured, from an upstream recipe and the user's data."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import click
import tomli_w

from lineage_repo.cli.options import json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.errors import TaskError
from lineage_repo.model.upstream import apply_variant
from lineage_repo.storage.files import write_whole
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.fetch import fetch_upstream
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import DATA, TaskFolder
from mcp_server.sandbox import host as hosts
from mcp_server.trial.preflight import find_syntax_problems


@click.command("prepare")
@click.argument("name")
@click.option("--from", "source", metavar="GIT", help="A clone of the upstream repository, or another address of it.")
@click.option(
    "--data", "raw", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder with the data."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to make or continue; default: ./NAME.")
@click.option("--variant", help="A variant that the manifest declares, such as a stronger start.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and how large it is.")
@json_option
def prepare(
    name: str,
    source: str | None,
    raw: Path | None,
    output: Path | None,
    variant: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a folder of task NAME that `init --task` and `task check` take: upstream's recipe at its pin, your data.

    What exists already is kept, so the same command continues where it stopped.
    """
    task = find_task(name)
    if not (task.task.upstream or task.task.data or variant):
        raise TaskError(f"{name} needs no preparation: espalier init DIR --task {name}")
    preparation = Preparation(task, output or Path(task.task.name), variant, hosts.load(os.environ).evaluator_python)
    result: dict[str, Any] = {
        "task": str(preparation.folder),
        "from": None,
        "recipe": None,
        "data": None,
        "missing": [],
    }
    if not dry_run:
        preparation.copy()
        result["recipe"] = preparation.make_recipe(source)
    elif task.task.upstream:
        result |= {"recipe": sorted(task.task.upstream.files), "from": None if source else task.task.upstream.url}
        if source and Path(source).exists():
            with tempfile.TemporaryDirectory() as scratch:
                fetch_upstream(task.task.upstream, source, Path(scratch))
    if task.task.data and raw:
        result["data"] = preparation.lay_out_data(raw, dry_run=dry_run)
    elif task.task.data and not (preparation.folder / DATA).exists():
        result["missing"] = [f"{task.task.data.about}: {task.task.data.get}; then name its folder with --data"]
    if as_json:
        print_json({"schema": "espalier.prepared/1", **result})
    else:
        print_lines(*_format(result, dry_run))
    if result["missing"]:
        raise SystemExit(1)


class Preparation:
    """One prepared folder while it is being made."""

    def __init__(self, source: TaskFolder, folder: Path, variant: str | None, python: Path) -> None:
        self.source, self.folder, self._variant, self._python = source, folder, variant, python

    def copy(self) -> None:
        """Copy manifest, evaluator, adapter and the rest; raise `TaskError` if the folder holds something else."""
        manifest = self._read_manifest()
        target = self.folder / "task.toml"
        if self.folder.exists() and any(self.folder.iterdir()) and not target.exists():
            raise TaskError(f"{self.folder} exists already and is not a task: name a new folder with -o")
        if target.exists():
            if tomllib.loads(target.read_text("utf-8")) == manifest:
                return
            raise TaskError(
                f"{target} differs from {self.source.path.name}"
                f"{f' --variant {self._variant}' if self._variant else ''}: name a new folder with -o"
            )
        skipped = shutil.ignore_patterns("__pycache__", "recipe", "data", "task.toml")
        shutil.copytree(self.source.path, self.folder, ignore=skipped, dirs_exist_ok=True)
        knowledge = data_folder("knowledge") / self.source.task.name
        if knowledge.is_dir():
            shutil.copytree(knowledge, self.folder / "knowledge", dirs_exist_ok=True)
        if not self._variant:
            shutil.copyfile(self.source.path / "task.toml", target)
        else:
            write_whole(target, tomli_w.dumps(manifest).encode())

    def _read_manifest(self) -> dict[str, Any]:
        manifest = tomllib.loads((self.source.path / "task.toml").read_text("utf-8"))
        return apply_variant(manifest, self._variant) if self._variant else manifest

    def make_recipe(self, source: str | None) -> list[str]:
        """Fetch the pinned files and adapt them; return the recipe's files.

        Raises:
            TaskError: the files are not available as pinned, the adapter failed, or its recipe does not compile.
        """
        target, upstream = self.folder / self.source.task.recipe.path, self.source.task.upstream
        if not target.exists():
            with tempfile.TemporaryDirectory(prefix=".recipe-", dir=self.folder) as scratch:
                recipe = Path(scratch) / "recipe"
                if upstream:
                    recipe.mkdir()
                    fetch_upstream(upstream, source, Path(scratch) / "upstream")
                    variant = ["--variant", self._variant] if self._variant else []
                    self._run(self.folder / "adapter" / "adapt.py", Path(scratch) / "upstream", recipe, *variant)
                else:
                    shutil.copytree(self.source.path / self.source.task.recipe.path, recipe)
                recipe.rename(target)
        files = TaskFolder.load(self.folder).read_recipe()
        if problems := find_syntax_problems(files):
            first = problems[0]
            raise TaskError(f"the adapted recipe does not compile: {first.file}:{first.line}: {first.message}")
        return sorted(files)

    def lay_out_data(self, raw: Path, *, dry_run: bool) -> dict[str, Any]:
        """Check the user's data and lay them out; return every file's size and digest."""
        folder = self.folder / "data"
        with tempfile.TemporaryDirectory() as staged:
            program = self.source.stage_evaluator(Path(staged))
            listing = self._run(program, "data", raw.resolve(), folder.resolve(), *(["--dry-run"] if dry_run else []))
        files: dict[str, Any] = json.loads(listing)
        if not dry_run:
            write_whole(self.folder / DATA, (json.dumps(files, indent=1, sort_keys=True) + "\n").encode())
        return files

    def _run(self, program: Path, *arguments: str | Path) -> str:
        """Run one of the task's own programs; return what it prints and show its progress on standard error."""
        argv, last = [self._python, "-EsB", program, *arguments], ""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE) as process:
                for line in (raw.decode(errors="replace").rstrip() for raw in process.stderr or ()):
                    last = line or last
                    if line.startswith("data "):
                        print_progress(line)
            if process.returncode:
                raise TaskError(last or f"{program.name} exited {process.returncode}")
            output.seek(0)
            return output.read()


def _format(result: dict[str, Any], dry_run: bool) -> list[str]:
    verb = "would make" if dry_run else "made"
    lines = [f"task      {verb} {result['task']}"]
    if result["recipe"]:
        shown = [*result["recipe"][:6], *(["..."] if len(result["recipe"]) > 6 else [])]
        lines.append(f"recipe    {len(result['recipe'])} files: {', '.join(shown)}")
        if dry_run and result["from"]:
            lines.append(f"from      {result['from']}; without a network name a clone with --from")
    if result["data"]:
        total = sum(row["bytes"] for row in result["data"].values())
        lines.append(f"data      {len(result['data'])} files, {total / 1e9:,.3f} GB")
    lines += [f"missing   {line}" for line in result["missing"]]
    if not dry_run and not result["missing"]:
        lines.append(f"next      espalier task check {shlex.quote(result['task'])}")
    return lines
