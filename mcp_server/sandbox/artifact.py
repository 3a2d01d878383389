"""Seal an artifact: copy one named plain file of a dead box to bytes that nothing can change any more."""

import hashlib
import os
import stat
from pathlib import Path
from typing import IO, Literal, NamedTuple

_BLOCK = 1 << 20


class Sealed(NamedTuple):
    """What a box left. `size` is known if `status` is ok or oversize, `sha256` if it is ok."""

    status: Literal["ok", "absent", "refused", "oversize"]
    size: int | None = None
    sha256: str | None = None


def seal(out: int, path: str, max_bytes: int, target: Path) -> Sealed:
    """Copy `path` below the folder descriptor `out` to `target`, without following links, at most `max_bytes`.

    Size check and read use one descriptor, so nothing can be swapped between them. `target` exists afterwards only if
    the status is ok. A link, a device, a pipe or a file with a second name is refused.
    """
    try:
        descriptor = _open_beneath(out, path)
    except FileNotFoundError:
        return Sealed("absent")
    except OSError:
        return Sealed("refused")
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
        os.close(descriptor)
        return Sealed("refused")
    with os.fdopen(descriptor, "rb") as source:
        if info.st_size > max_bytes:
            return Sealed("oversize", info.st_size)
        target.parent.mkdir(parents=True, exist_ok=True)
        sealed = _copy(source, target, max_bytes)
    if sealed.status == "ok":
        target.chmod(0o444)
    else:
        target.unlink()
    return sealed


def _copy(source: IO[bytes], target: Path, max_bytes: int) -> Sealed:
    """Copy block by block, since an artifact may be larger than the free memory."""
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
