"""Whole files or none: write beside, then rename."""

import os
from pathlib import Path


def write_whole(path: Path, body: bytes) -> None:
    """Put `body` at `path` so that a reader sees all of it or none, also after a crash."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
