"""How many bytes of text each token stands for, read from a sentencepiece model without sentencepiece.

Of the model (a protocol buffer) only the repeated field 1 matters: a piece, its text in field 1 and its kind in field
3. A token counts the UTF-8 bytes of its text without the leading space mark. The mark counts one byte, unless the
token before is a boundary: a control, unknown or unused one. Such tokens count nothing, a byte token counts one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from layout import MissingError

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_NORMAL, _UNKNOWN, _CONTROL, _UNUSED, _BYTE = 1, 2, 3, 5, 6
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def table(model: Path) -> np.ndarray:
    """Three rows (int16), a column for each token: bytes, whether the space mark leads, whether it is a boundary.

    Raises:
        MissingError: this is no such model, or one that has no token for the space mark alone.
    """
    try:
        found = [_piece(body) for number, body in _fields(model.read_bytes()) if number == 1]
    except (IndexError, ValueError, TypeError) as error:
        raise MissingError(f"{model} is no sentencepiece model: {error}") from None
    if SPACE not in (text for text, _ in found):
        raise MissingError(f"{model} has no token for the space mark {SPACE!r} alone: bytes can't be counted with it")
    return np.array([_row(text, kind) for text, kind in found], np.int16).T.copy()


def count(table: np.ndarray, tokens: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Bytes of each of `tokens`, each preceded by that of `before`."""
    size, leads, boundary = table
    return size[tokens].astype(np.int64) + (leads[tokens] & (1 - boundary[before]))


def _row(text: str, kind: int) -> tuple[int, int, int]:
    if kind in {_UNKNOWN, _CONTROL, _UNUSED}:
        return 0, 0, 1
    if kind == _BYTE:
        return 1, 0, 0
    leads = text.startswith(SPACE)
    return len(text.removeprefix(SPACE).encode()), int(leads), 0


def _piece(body: bytes) -> tuple[str, int]:
    text, kind = b"", _NORMAL
    for number, value in _fields(body):
        if number == 1:
            text = bytes(value)
        elif number == 3:
            kind = int(value)
    return text.decode(), kind


def _fields(body: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of every field of a message."""
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(body, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(body, at)
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"byte {at} begins a field of kind {wire}")
        if at + size > len(body):
            raise ValueError(f"it ends within a field that begins at byte {at}")
        yield number, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
