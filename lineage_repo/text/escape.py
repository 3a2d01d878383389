"""Make text safe to show: nothing in it moves the cursor, hides a character or passes for another line."""

import re
import unicodedata
from typing import Any, cast

_LONE_RETURN = re.compile(r"\r(?!\n)")


def escape_line(text: str) -> str:
    """`text` as one line: control, format and line-breaking characters as their escapes."""
    if text.isprintable():
        return text
    return "".join(repr(c)[1:-1] if _moves(c) else c for c in text)


def escape_text(text: str) -> str:
    """`text` as the lines that it has, everything else in it as `visible` shows it."""
    if text.isprintable():
        return text
    text = _LONE_RETURN.sub(r"\\r", text)
    return "".join(repr(c)[1:-1] if c not in "\r\n\t" and _moves(c) else c for c in text)


def escape_data(value: Any) -> Any:
    """Plain data with every text in it made one line."""
    if isinstance(value, dict):
        return {escape_line(key): escape_data(inner) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [escape_data(inner) for inner in cast("list[Any]", value)]
    return escape_line(value) if isinstance(value, str) else value


def _moves(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
