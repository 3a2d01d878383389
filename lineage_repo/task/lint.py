"""Find likely mistakes in a task: nothing breaks, but agents are told or offered the wrong thing."""

import re
from collections.abc import Iterator

from lineage_repo.storage.snapshot import Files, matches
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.folder import TaskFolder

_MARKED_NUMBER = re.compile(rb"^[A-Za-z_][A-Za-z0-9_]* = .*# \[(\w+)\]", re.M)


def find_oversights(source: TaskFolder) -> list[str]:
    """Return one line per likely mistake. Raise `TaskError` if the task must be prepared first."""
    files = source.read_start()
    return [
        *_lint_editable(source, files),
        *_lint_surfaces(source, files),
        *_lint_marks(source, files),
        *_lint_template(source),
    ]


def _lint_editable(source: TaskFolder, files: Files) -> Iterator[str]:
    patterns = source.task.recipe.editable
    if not any(matches(path, patterns) for path in files):
        yield f"editable is {', '.join(patterns)}, and no file of the recipe is that: agents could change nothing"


def _lint_surfaces(source: TaskFolder, files: Files) -> Iterator[str]:
    for specialist in source.task.specialists:
        for pattern in specialist.surface or ():
            if not set(pattern) & set("*?[") and pattern not in files:
                yield f"surface {pattern!r} of {specialist.name} is no file of the recipe: {', '.join(sorted(files))}"


def _lint_marks(source: TaskFolder, files: Files) -> Iterator[str]:
    roles = {specialist.name for specialist in source.task.specialists}
    for path, body in sorted(files.items()):
        for role in sorted({mark.decode() for mark in _MARKED_NUMBER.findall(body)} - roles):
            yield f"{path} marks a number for [{role}], who is none of {', '.join(sorted(roles))}"


def _lint_template(source: TaskFolder) -> Iterator[str]:
    folder = data_folder("tasks") / "_template"
    template = TaskFolder.load(folder).task
    for field in ("title", "summary"):
        if getattr(source.task, field) == getattr(template, field):
            yield f"{field} is still the template's"
    for field in ("scope", "off_limits"):
        placeholders = {getattr(specialist, field) for specialist in template.specialists}
        for specialist in source.task.specialists:
            if getattr(specialist, field) in placeholders - {""}:
                yield f"{field} of {specialist.name} is still the template's"
    brief = source.path / "knowledge" / "brief.md"
    if brief.is_file() and brief.read_bytes() == (folder / "knowledge" / "brief.md").read_bytes():
        yield "knowledge/brief.md is still the template's: agents read of another recipe"
