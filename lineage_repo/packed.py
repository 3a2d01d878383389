"""What a recipe weighs, and what of it runs: where a task counts every byte, comments are free and run nowhere."""

import io
import lzma
import tokenize

from lineage_repo.snapshot import Files

_UNPACKER = 100
"""Bytes of a line of Python that unpacks and runs such a file."""


def as_run(files: Files, *, packed: bool) -> Files:
    """The files that boxes see: without comments where the source is weighed packed; lines keep their numbers."""
    if not packed:
        return files
    return {path: _without_comments(body) if path.endswith(".py") else body for path, body in files.items()}


def weight(files: Files, *, packed: bool) -> int:
    """Bytes that a recipe counts for: names as well as contents, since names can carry weights too.

    Packed: those of what runs as one LZMA stream in base85, as a file that unpacks itself would hold it.
    """
    if not packed:
        return sum(len(path) + len(body) for path, body in files.items())
    run = sorted(as_run(files, packed=True).items())
    whole = b"".join(b"%s\0%d\0%s" % (path.encode(), len(body), body) for path, body in run)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    size = len(lzma.compress(whole, lzma.FORMAT_RAW, filters=filters))
    return _UNPACKER + 5 * -(-size // 4)


def _without_comments(body: bytes) -> bytes:
    """The same program; what is no program stays as it is, and weighs what it weighs."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(body).readline))
        lines = body.decode("utf-8").splitlines(keepends=True)
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError):
        return body
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column].rstrip(" \t") + line[column + len(token.string) :]
    return "".join(lines).encode()
