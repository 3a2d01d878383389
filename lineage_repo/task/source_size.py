"""Source size. With `limits.packed` comments are stripped, and the rest is counted compressed."""

import ast
import io
import lzma
import tokenize

from lineage_repo.storage.snapshot import Files

_UNPACKER_BYTES = 100
"""Size of a line of Python that unpacks and runs a packed file."""
_MAX_PARSED_BYTES = 300_000
"""A larger file keeps its comments: parsing a megabyte takes seconds and a third of a gigabyte."""


def strip_comments(files: Files, *, packed: bool) -> Files:
    """Return the files that boxes see: if `packed`, Python files lose their comments, and lines keep their numbers."""
    if not packed:
        return files
    return {path: _strip_file(body) if path.endswith(".py") else body for path, body in files.items()}


def source_bytes(files: Files, *, packed: bool) -> int:
    """Return how many bytes a recipe counts for: names and contents, since a name can carry data too.

    If `packed`, this is the size of a Python file that unpacks and runs them: what boxes see, as one LZMA stream in
    base85, and one line that unpacks it.

    >>> source_bytes({"fit.py": b"x = 1\\n"}, packed=False)
    12
    """
    if not packed:
        return sum(len(path) + len(body) for path, body in files.items())
    run = sorted(strip_comments(files, packed=True).items())
    stream = b"".join(b"%s\0%d\0%s" % (path.encode(), len(body), body) for path, body in run)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    size = len(lzma.compress(stream, lzma.FORMAT_RAW, filters=filters))
    return _UNPACKER_BYTES + 5 * -(-size // 4)


def _strip_file(body: bytes) -> bytes:
    """Return the same program without comments; return `body` if it does not parse or would not stay the same."""
    # Whether a lone carriage return ends a line, and so a comment, differs between versions of Python.
    if len(body) > _MAX_PARSED_BYTES or b"\r" in body.replace(b"\r\n", b"\n"):
        return body
    try:
        bare = _cut_comments(body)
        same = ast.dump(ast.parse(bare)) == ast.dump(ast.parse(body)) and not _list_comments(bare)
    except (SyntaxError, tokenize.TokenError, LookupError, ValueError, RecursionError, MemoryError):
        return body
    return bare if same else body


def _cut_comments(body: bytes) -> bytes:
    # Lines as the tokenizer counts them: str.splitlines knows more line ends, behind which code could hide.
    lines = body.decode("utf-8").split("\n")
    for token in _list_comments(body):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column].rstrip(" \t") + line[column + len(token.string) :]
    return "\n".join(lines).encode()


def _list_comments(body: bytes) -> list[tokenize.TokenInfo]:
    return [token for token in tokenize.tokenize(io.BytesIO(body).readline) if token.type == tokenize.COMMENT]
