"""The shape of plain data in files that anybody may have written: what does not fit counts as absent.

Apart from pydantic because a monitor asks every second, and that import costs more than the answer.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from lineage_repo.storage.files import read_plain


def moment(value: object) -> bool:
    """Whether it is a time with its zone."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def number(value: object) -> bool:
    """Whether it can be shown with decimals."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 1 << 53)


def digits(value: object) -> bool:
    """Whether it is a number of decimals that a number can be shown with."""
    return isinstance(value, int) and 0 <= value <= 9


def fits(value: object, shape: Any) -> bool:
    """Whether `value` is as `shape` says.

    A type, a test, alternatives in a tuple, one element for all of a list, or the least keys of an object; an object's
    key `*` stands for each of them.
    """
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in cast("tuple[Any, ...]", shape))
    if isinstance(shape, list):
        inner = cast("list[Any]", shape)[0]
        return isinstance(value, list) and all(fits(one, inner) for one in cast("list[object]", value))
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return False
        found, wanted = cast("dict[str, object]", value), cast("dict[str, Any]", shape)
        if "*" in wanted:
            return all(fits(one, wanted["*"]) for one in found.values())
        return found.keys() >= wanted.keys() and all(fits(found[key], one) for key, one in wanted.items())
    if isinstance(shape, type):
        return isinstance(value, shape)
    return value is None if shape is None else cast("Callable[[object], bool]", shape)(value)


def parsed(text: str | bytes) -> Any:
    """JSON; raise `ValueError` also where it is nested too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read(path: Path, shape: Any) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no such file, or it does not fit."""
    try:
        found = parsed(read_plain(path))
    except (OSError, ValueError):
        return None
    return found if fits(found, shape) else None
