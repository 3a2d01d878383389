"""Find a task by name or folder, and what agents are told of it."""

from pathlib import Path

from lineage_repo.errors import TaskError
from lineage_repo.task.builtin import builtin_tasks, data_folder
from lineage_repo.task.folder import TaskFolder


def knowledge_folder(source: TaskFolder) -> Path:
    """What agents are told of a task: its own `knowledge/`, else the built-in one of that name."""
    own = source.path / "knowledge"
    return own if own.is_dir() else data_folder("knowledge") / source.task.name


def find_task(name: str) -> TaskFolder:
    """A built-in task by name or any task by its folder; raise `TaskError`.

    Where a built-in one must be prepared, a folder of its name that holds it prepared is meant.
    """
    builtin = data_folder("tasks") / name
    if "/" not in name and (builtin / "task.toml").is_file():
        found = TaskFolder.load(builtin)
        here = Path(name)
        if found.task.upstream and (here / "task.toml").is_file() and here.resolve() != builtin.resolve():
            return TaskFolder.load(here)
        return found
    if not Path(name).is_dir():
        known = ", ".join(p.name for p in builtin_tasks())
        raise TaskError(f"no task {name!r}: built in are {known}; or give the path of a task folder")
    return TaskFolder.load(Path(name))
