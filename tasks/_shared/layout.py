"""Data that a user brings: checked, laid out once in a folder of its own, and found there at every trial.

Below that folder `train/` is what boxes may see and `hidden/` what only the evaluator sees.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class MissingError(Exception):
    """Raw data that lack something, or are something else; the message says what, and how to get it."""


class Piece(NamedTuple):
    """One file to be: its name below the folder, about how many bytes, and what writes it."""

    name: str
    bytes: int
    make: Callable[[Path], None]


def lay_out(pieces: list[Piece], folder: Path, *, dry_run: bool) -> None:
    """Make every piece that is not there yet; print the list of all as JSON, and progress to standard error."""
    if dry_run:
        print(json.dumps({piece.name: {"bytes": piece.bytes} for piece in pieces}))
        return
    log = folder / "made.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    made = {row["name"]: row for row in map(json.loads, log.read_text("utf-8").splitlines())} if log.exists() else {}
    for n, piece in enumerate(pieces, 1):
        path = folder / piece.name
        if not _is_there(path, made.get(piece.name)):
            sys.stderr.write(f"data      {n} of {len(pieces)}: {piece.name}, {piece.bytes / 1e6:,.1f} MB\n")
            made[piece.name] = _made(piece, path)
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(made[piece.name]) + "\n")
    wanted = {piece.name: {key: made[piece.name][key] for key in ("bytes", "sha256")} for piece in pieces}
    print(json.dumps(wanted))


def _made(piece: Piece, path: Path) -> dict[str, object]:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.unlink(missing_ok=True)
    piece.make(half)
    half.replace(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    found = path.stat()
    return {"name": piece.name, "bytes": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": digest}


def _is_there(path: Path, row: dict[str, object] | None) -> bool:
    if row is None or not path.is_file():
        return False
    found = path.stat()
    return (found.st_size, found.st_mtime_ns) == (row["bytes"], row["mtime_ns"])


def link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where the file system can't do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def prepared() -> Path:
    """The folder that was laid out; exits where a file has another size than then."""
    folder = Path(os.environ["ESPALIER_PREPARED"])
    for name, row in json.loads((folder / "data.json").read_text("utf-8")).items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else None
        if size != row["bytes"]:
            sys.exit(f"{path} has {size} bytes, {row['bytes']} were prepared: run espalier task prepare again")
    return folder
