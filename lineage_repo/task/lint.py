"""What the author of a task probably did not mean: nothing breaks, and agents are told or offered the wrong thing."""

import re
from collections.abc import Iterator

from lineage_repo.storage.snapshot import Files, matches
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.folder import TaskFolder

_KNOB = re.compile(rb"^[A-Za-z_][A-Za-z0-9_]* = .*# \[(\w+)\]", re.M)


def find_oversights(source: TaskFolder) -> list[str]:
    """One line each; empty for a task without any."""
    files = source.start()
    return [*_editable(source, files), *_surfaces(source, files), *_marks(source, files), *_template(source)]


def _editable(source: TaskFolder, files: Files) -> Iterator[str]:
    patterns = source.task.recipe.editable
    if not any(matches(path, patterns) for path in files):
        yield f"editable is {', '.join(patterns)}, and no file of the recipe is that: agents could change nothing"


def _surfaces(source: TaskFolder, files: Files) -> Iterator[str]:
    for specialist in source.task.specialists:
        for pattern in specialist.surface or ():
            if not set(pattern) & set("*?[") and pattern not in files:
                yield f"surface {pattern!r} of {specialist.name} is no file of the recipe: {', '.join(sorted(files))}"


def _marks(source: TaskFolder, files: Files) -> Iterator[str]:
    roles = {specialist.name for specialist in source.task.specialists}
    for path, body in sorted(files.items()):
        for role in sorted({found.decode() for found in _KNOB.findall(body)} - roles):
            yield f"{path} marks a number for [{role}], who is none of {', '.join(sorted(roles))}"


def _template(source: TaskFolder) -> Iterator[str]:
    folder = data_folder("tasks") / "_template"
    template = TaskFolder.load(folder).task
    for what in ("title", "summary"):
        if getattr(source.task, what) == getattr(template, what):
            yield f"{what} is still the template's"
    for what in ("scope", "off_limits"):
        theirs = {getattr(specialist, what) for specialist in template.specialists}
        for specialist in source.task.specialists:
            if getattr(specialist, what) in theirs - {""}:
                yield f"{what} of {specialist.name} is still the template's"
    brief = source.path / "knowledge" / "brief.md"
    if brief.is_file() and brief.read_bytes() == (folder / "knowledge" / "brief.md").read_bytes():
        yield "knowledge/brief.md is still the template's: agents read of another recipe"
