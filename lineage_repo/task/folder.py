"""A task folder: the manifest, and the files that it names."""

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import Self

from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task, parse_manifest
from lineage_repo.model.measurement import Record
from lineage_repo.storage import snapshot
from lineage_repo.task.builtin import data_folder

DATA = "data/data.json"
"""Lists every prepared file of a task with its size and SHA-256."""


class TaskFolder(Record):
    """A task folder that was read and checked (`load`); the files that it names are read when they are needed."""

    path: Path
    task: Task

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `path/task.toml` and check that the files that it names exist.

        Raises:
            TaskError: the manifest is missing or malformed, or a file is missing. A missing recipe is fine for a task
                with `[upstream]`, which `espalier task prepare` fetches.
        """
        try:
            text = (path / "task.toml").read_text("utf-8")
        except FileNotFoundError:
            raise TaskError(f"{path} has no task.toml; `espalier task list` names the built-in tasks") from None
        try:
            folder = cls(path=path, task=parse_manifest(tomllib.loads(text)))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise TaskError(f"{path / 'task.toml'}: {error}") from None
        if missing := [name for name in folder.task.evaluator.shared if not (_shared() / name).is_file()]:
            raise TaskError(f"evaluator.shared: {_shared()} has no {', '.join(missing)}")
        if not folder.program.is_file():
            raise TaskError(f"evaluator.program: {folder.program} does not exist")
        if not (path / folder.task.recipe.path).is_dir() and not folder.task.upstream:
            raise TaskError(f"recipe.path: {path / folder.task.recipe.path} is not a folder")
        return folder

    @property
    def program(self) -> Path:
        """The evaluator's program."""
        return self.path / self.task.evaluator.path / self.task.evaluator.program

    def read_start(self) -> dict[str, bytes]:
        """Read the starting recipe.

        Raises:
            TaskError: the task must be prepared first.
            SnapshotError: a file cannot be part of a snapshot.
        """
        missing = [name for name, needed in self._list_prepared().items() if needed and not (self.path / name).exists()]
        if missing:
            lacks = f"{self.path} has no {' and no '.join(missing)}"
            if len(missing) < sum(map(bool, self._list_prepared().values())):
                data = f" --data FOLDER -o {self.path}" if missing == [DATA] else f" -o {self.path}"
                raise TaskError(f"{lacks}: go on with espalier task prepare {self.task.name}{data}")
            made = f"`espalier task prepare {self.task.name}` makes a folder that has"
            raise TaskError(f"{lacks}: {made}, and --task takes that folder")
        return self.read_recipe()

    def read_recipe(self) -> dict[str, bytes]:
        """Read the recipe's folder, whether the task is prepared or not."""
        return snapshot.read_folder(self.path / self.task.recipe.path)

    def _list_prepared(self) -> dict[str, object]:
        """Map each path that preparing makes to the part of the manifest that asks for it."""
        return {self.task.recipe.path: self.task.upstream, DATA: self.task.data}

    def evaluator(self) -> dict[str, Path]:
        """Map the name of each of the evaluator's files to where it is; the task's own files win over shared ones."""
        shared = {name: _shared() / name for name in self.task.evaluator.shared}
        return shared | _list_files(self.path / self.task.evaluator.path)

    def stage_evaluator(self, folder: Path) -> Path:
        """Copy the evaluator, exactly what its digest covers, to `folder`; return the program there."""
        for name, source in self.evaluator().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
        return folder / self.task.evaluator.program

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of `task` (the manifest), `evaluator` (its files) and `data` (its list of files)."""
        data = {"data": _digest({DATA: self.path / DATA})} if self.task.data else {}
        return {
            "task": hashlib.sha256(self.task.canonical()).hexdigest(),
            "evaluator": _digest(self.evaluator()),
            **data,
        }


def digest_folder(path: Path) -> str:
    """Return the SHA-256 over the names and bytes of all files below `path`, without Python's caches."""
    return _digest(_list_files(path))


def _shared() -> Path:
    return data_folder("tasks") / "_shared"


def _list_files(path: Path) -> dict[str, Path]:
    files = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(path).as_posix(): p for p in files}


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, file in files.items():
        body = file.read_bytes() if file.exists() else b""
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()
