"""Find a task by name or folder, and the knowledge about it."""

from pathlib import Path

from lineage_repo.errors import TaskError
from lineage_repo.task.builtin import builtin_tasks, data_folder
from lineage_repo.task.folder import TaskFolder


def knowledge_folder(source: TaskFolder) -> Path:
    """Return the folder of what agents read about a task: its own `knowledge/`, else the built-in one of its name."""
    own = source.path / "knowledge"
    return own if own.is_dir() else data_folder("knowledge") / source.task.name


def find_task(name: str) -> TaskFolder:
    """Return a built-in task by its name, or any task by its folder.

    If the built-in task needs preparing and the working directory has a task folder of its name, that one is returned.

    Raises:
        TaskError: there is no such task, or its folder cannot be used.
    """
    builtin = data_folder("tasks") / name
    if "/" not in name and (builtin / "task.toml").is_file():
        source = TaskFolder.load(builtin)
        here = Path(name)
        if source.task.upstream and (here / "task.toml").is_file() and here.resolve() != builtin.resolve():
            return TaskFolder.load(here)
        return source
    if not Path(name).is_dir():
        known = ", ".join(p.name for p in builtin_tasks())
        raise TaskError(f"no task {name!r}: built in are {known}; or give the path of a task folder")
    return TaskFolder.load(Path(name))
