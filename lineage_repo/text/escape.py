"""Make text safe to show: nothing in it moves the cursor, hides a character or imitates a line break."""

import re
import unicodedata

_LONE_RETURN = re.compile(r"\r(?!\n)")


def escape_line(text: str) -> str:
    r"""Return `text` as one line, with control, format and line-breaking characters as Python escapes.

    >>> print(escape_line("a\x1b[2Jb\nc"))
    a\x1b[2Jb\nc
    """
    if text.isprintable():
        return text
    return "".join(repr(c)[1:-1] if _is_unsafe(c) else c for c in text)


def escape_text(text: str) -> str:
    """Return `text` with its line breaks and tabs kept and every other such character escaped."""
    if text.isprintable():
        return text
    text = _LONE_RETURN.sub(r"\\r", text)
    return "".join(repr(c)[1:-1] if c not in "\r\n\t" and _is_unsafe(c) else c for c in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
