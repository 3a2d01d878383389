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
from typing import Any, NamedTuple

MADE = "made.jsonl"
"""What was made, when, and of what."""


class MissingError(Exception):
    """Raw data that lack something, or are something else; the message says what, and how to get it."""


class Piece(NamedTuple):
    """One file to be: its name below the folder, about how many bytes, and what writes it."""

    name: str
    bytes: int
    make: Callable[[Path], None]


def lay_out(pieces: list[Piece], raw: Path, folder: Path, *, dry_run: bool) -> None:
    """Make every piece that is not there yet from `raw`; print the list of all as JSON, progress to standard error."""
    if dry_run:
        print(json.dumps({piece.name: {"bytes": piece.bytes} for piece in pieces}))
        return
    log, source = folder / MADE, _fingerprint(raw)
    folder.mkdir(parents=True, exist_ok=True)
    made = {row["name"]: row for row in _rows(log)}
    for n, piece in enumerate(pieces, 1):
        path = folder / piece.name
        if not _is_there(path, made.get(piece.name), source):
            sys.stderr.write(f"data      {n} of {len(pieces)}: {piece.name}, {piece.bytes / 1e6:,.1f} MB\n")
            made[piece.name] = {**_made(piece, path), "of": source}
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(made[piece.name]) + "\n")
    wanted = {piece.name: {key: made[piece.name][key] for key in ("bytes", "sha256")} for piece in pieces}
    print(json.dumps(wanted))


def _rows(log: Path) -> list[dict[str, Any]]:
    """What was made so far; a line that a killed run left half is none."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _fingerprint(raw: Path) -> str:
    """Changes where a file below `raw` does, by name, size or time."""
    found = sorted((str(p.relative_to(raw)), p.stat().st_size, p.stat().st_mtime_ns) for p in _files(raw))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _files(raw: Path) -> list[Path]:
    return [path for path in raw.rglob("*") if path.is_file()]


def _made(piece: Piece, path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.unlink(missing_ok=True)
    try:
        piece.make(half)
    except MissingError:
        raise
    except Exception as error:  # whatever a reader of broken data raises
        raise MissingError(f"{piece.name} can't be made of these data: {type(error).__name__}: {error}") from None
    if not half.stat().st_mode & 0o004:
        # A linked file is the user's own, and not ours to open to others.
        if half.stat().st_nlink > 1:
            half.unlink()
            raise MissingError(
                f"{piece.name} would be readable by its owner alone, boxes are not: chmod a+r its source"
            )
        half.chmod(0o644)
    half.replace(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    found = path.stat()
    return {"name": piece.name, "bytes": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": digest}


def _is_there(path: Path, row: dict[str, Any] | None, source: str) -> bool:
    return row is not None and row.get("of") == source and path.is_file() and _unchanged(path, row)


def _unchanged(path: Path, row: dict[str, Any]) -> bool:
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
    """The folder that was laid out; exits where a file is not as it was then, by size and time."""
    folder = Path(os.environ["ESPALIER_PREPARED"])
    made = {row["name"]: row for row in _rows(folder / MADE)}
    for name in json.loads((folder / "data.json").read_text("utf-8")):
        path = folder / name
        if not path.is_file() or name not in made or not _unchanged(path, made[name]):
            what = "was changed after it was prepared, or copied without its times" if path.is_file() else "is gone"
            sys.exit(f"{path} {what}: run espalier task prepare again, which makes it as it was")
    return folder
