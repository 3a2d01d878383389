"""Files: write a whole one or none, read only plain ones, remove what a job staged."""

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path

from lineage_repo.model.paths import JobPaths


def write_whole(path: Path, body: bytes) -> None:
    """Write `body` to `path` so that a reader sees all of it or none, also after a crash."""
    # The folder may be somebody else's, who could place a link to a file of ours under any name that can be guessed.
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
    """Return the bytes of a regular file; raise `OSError` for a pipe or a device, where a read might never return."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        return stream.read()


def clear_staged(job: JobPaths) -> None:
    """Remove what must not outlive a job from its folder and, through links, from elsewhere."""
    for path in job.staged:
        shutil.rmtree(path.resolve(), ignore_errors=True)
        if path.is_symlink():
            path.unlink(missing_ok=True)
