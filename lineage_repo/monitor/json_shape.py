"""Typed values from JSON files that anybody may have written: a value that does not fit its type is refused.

The types are NamedTuples and this module checks them, because `espalier status` is asked every second: importing
pydantic takes twice as long as its whole answer, and a frozen dataclass takes six times as long to define.
"""

import json
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from lineage_repo.storage.files import read_plain

T = TypeVar("T")
_LARGEST_INT = 1 << 53
"""JSON numbers are exact up to here, and formatting one never fails."""


def read_json(path: Path, shape: type[T]) -> T | None:
    """Read a JSON file as a `shape`; return None where it is missing, not a plain file, or does not fit."""
    try:
        return convert(parse_json(read_plain(path)), shape)
    except (OSError, ValueError):
        return None


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; raise `ValueError` also where it is nested too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def convert(value: object, shape: type[T]) -> T:
    """Return `value`, as JSON has it, as a `shape`; raise `ValueError` where it does not fit.

    A shape is bool, int, float, str, a datetime with its zone, a union with None, `tuple[X, ...]`, `dict[str, X]`,
    `Annotated[X, ALLOWED]` with a container of allowed values, or a NamedTuple of these. Extra keys are left out.
    """
    return _convert(value, shape)


def dump(value: object) -> Any:
    """Return a NamedTuple of these types as plain data for JSON."""
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        names: tuple[str, ...] | None = getattr(items, "_fields", None)
        plain = [dump(item) for item in items]
        return plain if names is None else dict(zip(names, plain, strict=True))
    if isinstance(value, dict):
        return {key: dump(item) for key, item in cast("dict[str, object]", value).items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _convert(value: object, shape: Any) -> Any:
    if shape in _PLAIN:
        return _PLAIN[shape](value)
    if hasattr(shape, "_fields"):
        return _convert_fields(value, shape)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is UnionType:
        return _convert_union(value, arguments)
    if origin is Annotated and (allowed := _convert(value, arguments[0])) in arguments[1]:
        return allowed
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(item, arguments[0]) for item in cast("list[object]", value))
    if origin is dict and isinstance(value, dict):
        return {key: _convert(item, arguments[1]) for key, item in cast("dict[str, object]", value).items()}
    raise ValueError("a value does not fit")


def _convert_fields(value: object, shape: Any) -> Any:
    items: dict[str, object] = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    fields: dict[str, Any] = shape.__annotations__
    if not items.keys() >= fields.keys():
        raise ValueError("fields are missing")
    return shape(*(_convert(items[name], field) for name, field in fields.items()))


def _convert_union(value: object, shapes: tuple[Any, ...]) -> Any:
    for shape in shapes:
        try:
            return _convert(value, shape)
        except ValueError:
            continue
    raise ValueError("no alternative fits")


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("not true or false")


def _int(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_INT:
        return value
    raise ValueError("not an integer that can be shown")


def _float(value: object) -> float:
    if isinstance(value, float) and math.isfinite(value):
        return value
    return float(_int(value))


def _str(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("not a text")


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_str(value))
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _null(value: object) -> None:
    if value is not None:
        raise ValueError("not null")


_PLAIN: dict[Any, Callable[[object], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    datetime: _moment,
    type(None): _null,
}
