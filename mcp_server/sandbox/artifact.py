"""Seal an artifact: one named plain file of a dead box becomes bytes that nothing can change any more."""

import hashlib
import os
import stat
from pathlib import Path
from typing import IO, Literal, NamedTuple

_BLOCK = 1 << 20


class Sealed(NamedTuple):
    """What a box left; `size` and `sha256` only when `verdict` is ok or oversize."""

    status: Literal["ok", "absent", "refused", "oversize"]
    size: int | None = None
    sha256: str | None = None


def seal(out: int, path: str, max_bytes: int, target: Path) -> Sealed:
    """Copy `path` below the folder descriptor `out` to `target`, no link followed, at most `max_bytes`.

    Size check and read use one descriptor, so that nothing can be swapped between them. What is not sealed leaves no
    `target`.
    """
    try:
        descriptor = _open_beneath(out, path)
    except FileNotFoundError:
        return Sealed("absent")
    except OSError:
        return Sealed("refused")
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(descriptor)
        return Sealed("refused")
    with os.fdopen(descriptor, "rb") as source:
        if found.st_size > max_bytes:
            return Sealed("oversize", found.st_size)
        target.parent.mkdir(parents=True, exist_ok=True)
        sealed = _copy(source, target, max_bytes)
    if sealed.status == "ok":
        target.chmod(0o444)
    else:
        target.unlink()
    return sealed


def _copy(source: IO[bytes], target: Path, max_bytes: int) -> Sealed:
    """Block by block: an artifact may be larger than the memory that is free."""
    size, digest = 0, hashlib.sha256()
    with target.open("wb") as written:
        while block := source.read(min(_BLOCK, max_bytes + 1 - size)):
            size += len(block)
            if size > max_bytes:
                return Sealed("oversize", size)
            digest.update(block)
            written.write(block)
    return Sealed("ok", size, digest.hexdigest())


def _open_beneath(folder: int, path: str) -> int:
    *folders, name = path.split("/")
    at = os.dup(folder)
    try:
        for part in folders:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)
