"""The commands on tasks that measure nothing: new, list, schema."""

import re
import shlex
import shutil
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task
from lineage_repo.task.builtin import builtin_tasks, data_folder
from lineage_repo.task.folder import TaskFolder
from lineage_repo.text.sanitize import clip

_NAMED = "new_task"
"""What the template calls itself."""


@click.command("new")
@campaign_dir
def new(directory: Path) -> None:
    """Make a small working task in the new folder DIR, named as the folder: manifest, recipe, evaluator, knowledge.

    It runs as it is; docs/tasks.md says how to make it yours.
    """
    source = scaffold(directory)
    for path in sorted(p for p in source.path.rglob("*") if p.is_file()):
        print_lines(str(path))
    print_lines(f"next      espalier task check {shlex.quote(str(directory))}")


def scaffold(folder: Path) -> TaskFolder:
    """Write the template to a new folder and name the task after it; raise `TaskError`."""
    name = folder.resolve().name
    if folder.exists():
        raise TaskError(f"{folder} is there already: name a new folder")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise TaskError(
            f"a task is named as its folder, and {name!r} is no name: use a-z, then up to 31 of a-z, 0-9, _ and -"
        )
    shutil.copytree(data_folder("tasks") / "_template", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (folder / "task.toml", folder / "README.md"):
        file.write_text(file.read_text("utf-8").replace(_NAMED, name), "utf-8")
    return TaskFolder.load(folder)


@click.command("list")
def list_tasks() -> None:
    """Name the built-in tasks."""
    for path in builtin_tasks():
        try:
            task = TaskFolder.load(path).task
            print_lines(
                f"{path.name:20} {task.title}" + ("; first: task prepare" if task.upstream or task.data else "")
            )
        except TaskError as error:
            print_lines(f"{path.name:20} broken: {clip(str(error), 100)}")


@click.command("schema")
def schema() -> None:
    """Print the JSON schema of task.toml."""
    print_json(Task.model_json_schema())
