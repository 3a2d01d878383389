"""Lock files that the kernel frees when their holder dies, such as one per running trial."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lineage_repo.errors import EspalierError
from lineage_repo.model.paths import TrialPaths


def try_lock(path: Path) -> int | None:
    """Lock a file; return the descriptor, which keeps the lock until it is closed, or None if the lock is taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def acquire(folder: Path) -> int:
    """Create a folder and lock it; return the descriptor, which a runner inherits. Raise `BlockingIOError` if taken."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = try_lock(TrialPaths(folder).lock)
    if descriptor is None:
        raise BlockingIOError(f"{folder} is locked by another process")
    return descriptor


ScratchKind = Literal["size", "calibration"]
"""Measurements that are neither trials nor proofs."""


@contextmanager
def scratch_folder(trials: Path, kind: ScratchKind) -> Generator[Path]:
    """Lock a new folder for a measurement that is not a trial; after an `EspalierError` it stays, for its logs."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=trials))
    descriptor = acquire(folder)
    try:
        yield folder
    except EspalierError:
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        shutil.rmtree(folder)
    finally:
        release(descriptor)


def release(descriptor: int) -> None:
    """Close our descriptor of a lock; the lock stays while a runner has a copy."""
    os.close(descriptor)


def is_alive(folder: Path) -> bool:
    """Return whether the lock of a trial's folder is still taken."""
    return is_held(TrialPaths(folder).lock)


def is_held(lock: Path) -> bool:
    """Return whether a lock file is locked by a process."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:  # another user's: only its holder can tell
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_for_release(folder: Path) -> None:
    """Block until the lock of a trial's folder is free."""
    descriptor = os.open(TrialPaths(folder).lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
