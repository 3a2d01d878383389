"""The `task` commands that measure nothing: new, list, schema."""

import re
import shlex
import shutil
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_json, print_rows
from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task
from lineage_repo.task.builtin import builtin_tasks, data_folder
from lineage_repo.task.folder import TaskFolder
from lineage_repo.text.sanitize import clip

_TEMPLATE_NAME = "new_task"
"""The name of the task in the template."""


@click.command("new")
@campaign_dir
def new(directory: Path) -> None:
    """Make a small working task in the new folder DIR and name it after the folder.

    It has a manifest, a recipe, an evaluator and knowledge, and runs as it is; docs/tasks.md says how to make it yours.
    """
    source = scaffold(directory)
    files = sorted(str(path) for path in source.path.rglob("*") if path.is_file())
    print_rows([*files, ("next", f"espalier task check {shlex.quote(str(directory))}")])


def scaffold(folder: Path) -> TaskFolder:
    """Write the template to a new folder and name the task after it; raise `TaskError`."""
    name = folder.resolve().name
    if folder.exists():
        raise TaskError(f"{folder} is there already: name a new folder")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise TaskError(
            f"a task is named after its folder, and {name!r} is not a valid name: "
            "begin with a-z, then up to 31 of a-z, 0-9, _ and -"
        )
    shutil.copytree(data_folder("tasks") / "_template", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (folder / "task.toml", folder / "README.md"):
        file.write_text(file.read_text("utf-8").replace(_TEMPLATE_NAME, name), "utf-8")
    return TaskFolder.load(folder)


@click.command("list")
def list_tasks() -> None:
    """Name the built-in tasks."""
    print_rows((path.name, _title(path)) for path in builtin_tasks())


def _title(path: Path) -> str:
    try:
        task = TaskFolder.load(path).task
    except TaskError as error:
        return f"broken: {clip(str(error), 100)}"
    return task.title + ("; run `espalier task prepare` first" if task.upstream or task.data else "")


@click.command("schema")
def schema() -> None:
    """Print the JSON schema of task.toml."""
    print_json(Task.model_json_schema())
