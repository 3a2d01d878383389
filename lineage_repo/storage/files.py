"""Whole files or none: write beside, then rename; and files that are files."""

import errno
import os
import secrets
import stat
from pathlib import Path


def write_whole(path: Path, body: bytes) -> None:
    """Put `body` at `path` so that a reader sees all of it or none, also after a crash."""
    # The folder may be somebody else's: under a name that can be guessed a link would wait, and aim at a file of ours.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read_plain(path: Path) -> bytes:
    """The bytes of a file; raise `OSError` also where it is a pipe or a device, from which a read may never return."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        return stream.read()
