"""Seal an artifact: one named plain file of a dead box becomes bytes that nothing can change any more."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Literal, NamedTuple


class Sealed(NamedTuple):
    """What a box left; `size` and `sha256` only when `verdict` is ok or oversize."""

    verdict: Literal["ok", "absent", "refused", "oversize"]
    size: int | None = None
    sha256: str | None = None


def seal(out: int, path: str, max_bytes: int, target: Path) -> Sealed:
    """Copy `path` below the folder descriptor `out` to `target`, no link followed, at most `max_bytes`.

    Size check and read use one descriptor, so that nothing can be swapped between them.
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
        body = source.read(max_bytes + 1)
    if len(body) > max_bytes:
        return Sealed("oversize", len(body))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)
    target.chmod(0o444)
    return Sealed("ok", len(body), hashlib.sha256(body).hexdigest())


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
