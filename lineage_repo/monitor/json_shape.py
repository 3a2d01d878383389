"""Typed values from JSON files that anybody may have written: a value that does not fit its type is refused.

The types are NamedTuples and this module checks them, because `espalier status` is asked every second: importing
pydantic takes twice as long as its whole answer, and a frozen dataclass takes six times as long to define.
"""

import json
import math
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

    A shape is bool, int, float, str, a datetime with its zone, None, a union, `tuple[X, ...]`, `dict[str, X]`,
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
    if shape in {bool, str} and isinstance(value, shape):
        return value
    if shape in {None, type(None)} and value is None:
        return None
    if shape in {int, float}:
        return _number(value, shape)
    if shape is datetime and isinstance(value, str):
        return _moment(value)
    if hasattr(shape, "_fields"):
        return _named_tuple(value, shape)
    return _convert_generic(value, get_origin(shape), get_args(shape))


def _convert_generic(value: object, origin: object, arguments: tuple[Any, ...]) -> Any:
    if origin is Annotated and (checked := _convert(value, arguments[0])) in arguments[1]:
        return checked
    if origin is UnionType:
        return _first_fit(value, arguments)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(item, arguments[0]) for item in cast("list[object]", value))
    if origin is dict and isinstance(value, dict):
        return {key: _convert(item, arguments[1]) for key, item in cast("dict[str, object]", value).items()}
    raise ValueError("a value does not fit")


def _named_tuple(value: object, shape: Any) -> Any:
    items: dict[str, object] = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    fields: dict[str, Any] = shape.__annotations__
    if not items.keys() >= fields.keys():
        raise ValueError("fields are missing")
    return shape(**{name: _convert(items[name], field) for name, field in fields.items()})


def _first_fit(value: object, shapes: tuple[Any, ...]) -> Any:
    for shape in shapes:
        try:
            return _convert(value, shape)
        except ValueError:
            continue
    raise ValueError("no alternative fits")


def _number(value: object, shape: type[int] | type[float]) -> int | float:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_INT:
        return shape(value)
    if isinstance(value, float) and shape is float and math.isfinite(value):
        return value
    raise ValueError("not a number that can be shown")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment
