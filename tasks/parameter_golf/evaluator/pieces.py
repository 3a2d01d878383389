"""How many bytes of text each token stands for, read from a sentencepiece model without sentencepiece.

Only the repeated field 1 of the model (a protocol buffer) matters: a piece with its text in field 1 and its kind in
field 3. A token counts the UTF-8 bytes of its text without the leading space mark. The mark counts one byte, unless the
token before is a boundary: a control, unknown or unused token. Boundaries count nothing, a byte token counts one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from layout import MissingError

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_NORMAL, _UNKNOWN, _CONTROL, _UNUSED, _BYTE = 1, 2, 3, 5, 6
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_table(model: Path) -> np.ndarray:
    """Read three rows (int16) with a column per token: bytes, whether the space mark leads, whether it is a boundary.

    Raises:
        MissingError: this is not such a model, or it has no token for the space mark alone.
    """
    try:
        pieces = [_read_piece(body) for number, body in _read_fields(model.read_bytes()) if number == 1]
    except (IndexError, ValueError, TypeError) as error:
        raise MissingError(f"{model} is not a sentencepiece model: {error}") from None
    if SPACE not in (text for text, _ in pieces):
        raise MissingError(f"{model} has no token for the space mark {SPACE!r} alone: bytes can't be counted with it")
    return np.array([_make_row(text, kind) for text, kind in pieces], np.int16).T.copy()


def count_bytes(table: np.ndarray, tokens: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the bytes of each of `tokens`; the token in the same place of `before` precedes it."""
    size, leads, boundary = table
    return size[tokens].astype(np.int64) + (leads[tokens] & (1 - boundary[before]))


def _make_row(text: str, kind: int) -> tuple[int, int, int]:
    if kind in {_UNKNOWN, _CONTROL, _UNUSED}:
        return 0, 0, 1
    if kind == _BYTE:
        return 1, 0, 0
    leads = text.startswith(SPACE)
    return len(text.removeprefix(SPACE).encode()), int(leads), 0


def _read_piece(body: bytes) -> tuple[str, int]:
    text, kind = b"", _NORMAL
    for number, value in _read_fields(body):
        if number == 1:
            text = bytes(value)
        elif number == 3:
            kind = int(value)
    return text.decode(), kind


def _read_fields(body: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of every field of a message."""
    at = 0
    while at < len(body):
        key, at = _read_varint(body, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _read_varint(body, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _read_varint(body, at)
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"byte {at} begins a field of kind {wire}")
        if at + size > len(body):
            raise ValueError(f"it ends within a field that begins at byte {at}")
        yield number, body[at : at + size]
        at += size


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
