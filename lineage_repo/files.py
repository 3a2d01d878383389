"""Whole files or none: write beside, then rename."""

import os
import secrets
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
