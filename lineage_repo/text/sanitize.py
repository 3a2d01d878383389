"""Check text that an agent wrote before it is recorded or shown to anybody."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from lineage_repo.text.redact import looks_secret

_MARKUP = re.compile(
    r"</?\s*(?:antml:)?(?:parameter|invoke|function_calls?|tool_use|tool_call|title|hypothesis|notes|expected_delta)\b",
    re.I,
)
_PLACEHOLDER = re.compile(
    r"^\W*(?:test(?:ing)?|todo|tbd|n/?a|none|null|placeholder|foo|bar|baz|x+|lorem ipsum.*|hypothesis|title|"
    r"(?:your|the|my|a)? ?(?:hypothesis|title|text|idea) ?(?:here|goes here)?|asdf\w*|string)\W*$|^\W+$",
    re.I,
)


_REFUSED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def check_line(text: str) -> str:
    """Return `text` stripped; raise `ValueError` for a line break, a control or a bidirectional character."""
    for position, character in enumerate(text):
        if unicodedata.category(character) in _REFUSED or _is_noncharacter(character):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise ValueError(f"holds {name} at character {position}: write one line of plain text")
    return text.strip()


def _is_noncharacter(character: str) -> bool:
    """Whether it never will be one; what is not assigned yet is text to a newer Python, and a record outlives both."""
    return ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"


def check_authored(text: str, *, least: int = 0) -> str:
    """Return one line that somebody meant: no leaked markup, no key, no placeholder, at least `least` characters."""
    line = check_line(text)
    if found := _MARKUP.search(line):
        raise ValueError(f"holds the tool-call markup {found.group()!r}: send plain text, one argument at a time")
    if looks_secret(line):
        raise ValueError("holds what looks like a key: the record is for ever, so say it without credentials")
    if line and _PLACEHOLDER.match(line):
        raise ValueError(f"is the placeholder {line!r}: say what you changed and why it should help")
    if len(line) < least:
        raise ValueError(f"has {len(line)} characters, fewer than {least}: say what you changed and why it should help")
    return line


def clip(text: str, width: int) -> str:
    """Cut `text` to one printable line of at most `width` characters, control characters shown as `?`."""
    flat = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in " ".join(text.split()))
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def plain_line(text: str, width: int) -> str:
    """`text` as it is where it is one line of at most `width` characters, else clipped to one."""
    try:
        line = check_line(text)
    except ValueError:
        return clip(text, width)
    return line if len(line) <= width else clip(line, width)


Line = Annotated[str, AfterValidator(check_line)]
