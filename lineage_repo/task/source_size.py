"""What a recipe weighs, and what of it runs: where a task counts every byte, comments are free and run nowhere."""

import ast
import io
import lzma
import tokenize

from lineage_repo.storage.snapshot import Files

_UNPACKER = 100
"""Bytes of a line of Python that unpacks and runs such a file."""
_LARGEST = 300_000
"""Bytes of a file that is looked at for comments: a megabyte takes seconds and a third of a gigabyte."""


def strip_comments(files: Files, *, packed: bool) -> Files:
    """The files that boxes see: without comments where the source is weighed packed; lines keep their numbers."""
    if not packed:
        return files
    return {path: _without_comments(body) if path.endswith(".py") else body for path, body in files.items()}


def source_bytes(files: Files, *, packed: bool) -> int:
    """Bytes that a recipe counts for: names as well as contents, since names can carry weights too.

    Packed: those of what runs as one LZMA stream in base85, as a file that unpacks itself would hold it.
    """
    if not packed:
        return sum(len(path) + len(body) for path, body in files.items())
    run = sorted(strip_comments(files, packed=True).items())
    whole = b"".join(b"%s\0%d\0%s" % (path.encode(), len(body), body) for path, body in run)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    size = len(lzma.compress(whole, lzma.FORMAT_RAW, filters=filters))
    return _UNPACKER + 5 * -(-size // 4)


def _without_comments(body: bytes) -> bytes:
    """The same program; what is no program, or would be another one, stays as it is, and weighs what it weighs."""
    if len(body) > _LARGEST:
        return body
    try:
        bare = _cut(body)
        same = ast.dump(ast.parse(bare)) == ast.dump(ast.parse(body)) and not _comments(bare)
    except (SyntaxError, tokenize.TokenError, LookupError, ValueError, RecursionError, MemoryError):
        return body
    return bare if same else body


def _cut(body: bytes) -> bytes:
    # Lines as the tokens count them: str.splitlines knows other ends, behind which code could hide.
    lines = body.decode("utf-8").split("\n")
    for token in _comments(body):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column].rstrip(" \t") + line[column + len(token.string) :]
    return "\n".join(lines).encode()


def _comments(body: bytes) -> list[tokenize.TokenInfo]:
    return [token for token in tokenize.tokenize(io.BytesIO(body).readline) if token.type == tokenize.COMMENT]
