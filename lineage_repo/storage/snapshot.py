"""Snapshots: the files of a recipe as a mapping from path to bytes, read from and written to plain folders."""

import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from lineage_repo.errors import SnapshotError

Files = Mapping[str, bytes]
"""Relative path with forward slashes to contents."""

MAX_FILES = 200
MAX_BYTES = 8_000_000
MAX_DEPTH = 8
MAX_PATH = 120
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_IGNORED = {"__pycache__", ".ruff_cache"}


def check_path(path: str) -> str:
    """Return `path` if it is relative and of plain parts only: letters, digits and `._-`, no leading dot or dash.

    Raises:
        SnapshotError: it is not, or has more than `MAX_DEPTH` parts or `MAX_PATH` characters.

    >>> check_path("lib/part.py")
    'lib/part.py'
    """
    parts = path.split("/")
    if len(path) > MAX_PATH or len(parts) > MAX_DEPTH or not all(_PART.fullmatch(part) for part in parts):
        raise SnapshotError(
            f"{path[:200]!r} is not a plain relative path: use letters, digits, '.', '_' and '-', "
            f"at most {MAX_DEPTH} levels and {MAX_PATH} characters"
        )
    return path


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of a manifest's glob patterns; `*` also matches a slash.

    >>> matches("lib/part.py", ["*.py"]), matches("notes.txt", ["*.py"])
    (True, False)
    """
    return any(fnmatch(path, pattern) for pattern in patterns)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read every file below `folder`, caches of Python and ruff left out.

    Raises:
        SnapshotError: a link, a device or an odd name; no file at all; more than `MAX_FILES` files, `MAX_BYTES` bytes
            or `MAX_DEPTH` levels; or something that cannot be read.
    """
    files: dict[str, bytes] = {}
    total = 0
    for here, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(f for f in folders if f not in _IGNORED)
        if folders and len(Path(here).relative_to(folder).parts) >= MAX_DEPTH - 1:
            raise SnapshotError(f"folders are nested more than {MAX_DEPTH} deep: rebase_to gives a fresh copy")
        if linked := [f for f in folders if (Path(here) / f).is_symlink()]:
            raise SnapshotError(f"{linked[0]!r} is a link to a folder: a recipe has plain files only")
        for name in sorted(names):
            path = check_path((Path(here) / name).relative_to(folder).as_posix())
            body = _read_plain(Path(here) / name, path, MAX_BYTES - total)
            total += len(body)
            files[path] = body
            if len(files) > MAX_FILES:
                raise SnapshotError(f"more than {MAX_FILES} files: a recipe is small; delete what is not needed")
    if not files:
        raise SnapshotError("the folder has no file")
    return files


def _refuse(error: OSError) -> None:
    raise SnapshotError(f"{error.filename}: {error.strerror}")


def _read_plain(file: Path, path: str, room: int) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise SnapshotError(f"{path!r} can't be read as a plain file: {why}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(descriptor)
        raise SnapshotError(f"{path!r} is not a plain file with one name: a recipe has no links and no devices")
    with os.fdopen(descriptor, "rb") as stream:
        body = stream.read(room + 1)
    if len(body) > room:
        raise SnapshotError(f"{path!r} takes the recipe over {MAX_BYTES:,} bytes")
    return body


def write_folder(files: Files, folder: Path) -> None:
    """Replace the contents of `folder` by `files`; links in it are removed, never followed."""
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    for path, body in files.items():
        target = folder / check_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _clear(folder: Path) -> None:
    """Empty `folder`, however deep an agent nested it: move inner folders up until none is left inside another."""
    moved = 0
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    moved += 1
                    Path(inner.path).rename(folder / f".clear-{os.getpid()}-{moved}")
                else:
                    Path(inner.path).unlink()
            Path(entry.path).rmdir()
