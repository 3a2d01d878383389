"""A user's data: checked, laid out once in a folder of its own, and found there at every trial.

In that folder, boxes may see `train/`, and only the evaluator sees `hidden/`.
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
"""One line for each file that was made: its size, time and digest, and the fingerprint of its source."""
LIST = "data.json"
_AGAIN = "remove what is not listed in data.json, and run espalier task prepare again, which restores the rest"


class MissingError(Exception):
    """The raw data lack something, or are not what is needed; the message says what, and how to get it."""


class Piece(NamedTuple):
    """One file to make: its name below the folder, about how many bytes it has, and what writes it."""

    name: str
    bytes: int
    make: Callable[[Path], None]


def check(raw: Path) -> None:
    """Refuse what is not a plain file, and a file with two names, which could be on both sides.

    Raises:
        MissingError: names the file and what to do with it.
    """
    seen: dict[tuple[int, int], Path] = {}
    for path in sorted(raw.rglob("*")):
        if path.is_dir():
            continue
        if not path.is_file():
            raise MissingError(f"{path} is not a plain file: remove it, or replace it by the file that it stands for")
        info = path.stat()
        if (other := seen.setdefault((info.st_dev, info.st_ino), path)) != path:
            raise MissingError(f"{path} is the same file as {other}: remove one of them")


def lay_out(pieces: list[Piece], raw: Path, folder: Path, *, dry_run: bool) -> None:
    """Make every missing piece from `raw`; print the list of all as JSON and progress to standard error."""
    if dry_run:
        print(json.dumps({piece.name: {"bytes": piece.bytes} for piece in pieces}))
        return
    log, source = folder / MADE, _fingerprint(raw)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {row["name"]: row for row in _read_log(log)}
    for n, piece in enumerate(pieces, 1):
        path = folder / piece.name
        if not _is_made(path, rows.get(piece.name), source):
            sys.stderr.write(f"data      {n} of {len(pieces)}: {piece.name}, {piece.bytes / 1e6:,.1f} MB\n")
            rows[piece.name] = {**_make(piece, path), "of": source}
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(rows[piece.name]) + "\n")
    wanted = {piece.name: {key: rows[piece.name][key] for key in ("bytes", "sha256")} for piece in pieces}
    print(json.dumps(wanted))


def _read_log(log: Path) -> list[dict[str, Any]]:
    """Read what was made so far; skip a line that a killed run left unfinished."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _fingerprint(raw: Path) -> str:
    """Return a digest that changes with the name, size or time of any file below `raw`, or with the program."""
    programs = sorted(Path(__file__).parent.rglob("*.py"))
    facts = sorted((str(p.relative_to(raw)), p.stat().st_size, p.stat().st_mtime_ns) for p in _files(raw))
    facts += [(p.name, p.stat().st_size, hashlib.sha256(p.read_bytes()).hexdigest()) for p in programs]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _files(raw: Path) -> list[Path]:
    return [path for path in raw.rglob("*") if path.is_file()]


def _make(piece: Piece, path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.unlink(missing_ok=True)
    try:
        piece.make(half)
    except MissingError:
        raise
    except Exception as error:  # a reader of broken data may raise anything
        raise MissingError(f"{piece.name} can't be made of these data: {type(error).__name__}: {error}") from None
    if not half.stat().st_mode & 0o004:
        # A linked file is the user's own, so it is not ours to open to others.
        if half.stat().st_nlink > 1:
            half.unlink()
            raise MissingError(f"{piece.name} can be read by its owner only, which no box is: chmod a+r its source")
        half.chmod(0o644)
    half.replace(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    info = path.stat()
    return {"name": piece.name, "bytes": info.st_size, "mtime_ns": info.st_mtime_ns, "sha256": digest}


def _is_made(path: Path, row: dict[str, Any] | None, source: str) -> bool:
    return row is not None and row.get("of") == source and path.is_file() and _is_unchanged(path, row)


def _is_unchanged(path: Path, row: dict[str, Any]) -> bool:
    info = path.stat()
    return (info.st_size, info.st_mtime_ns) == (row["bytes"], row["mtime_ns"])


def link(source: Path, target: Path) -> None:
    """Give the file a second name, or copy it if the file system can't do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not source.is_file():
        raise MissingError(f"{source} is not a plain file: name one that is, or a link to one")
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def open_prepared() -> Path:
    """Return the folder that was laid out; exit if a name, size or time in it has changed since."""
    folder = Path(os.environ["ESPALIER_PREPARED"])
    rows = {row["name"]: row for row in _read_log(folder / MADE)}
    wanted = set(json.loads((folder / LIST).read_text("utf-8")))
    present = {str(path.relative_to(folder)) for path in _files(folder)} - {MADE, LIST}
    for name in sorted(wanted ^ present):
        sys.exit(f"{folder / name} {'is missing' if name in wanted else 'was not prepared'}: {_AGAIN}")
    for name in sorted(wanted):
        if name not in rows or not _is_unchanged(folder / name, rows[name]):
            sys.exit(f"{folder / name} was changed after it was prepared, or copied without its times: {_AGAIN}")
    return folder
