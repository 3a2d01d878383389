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
    """Return `text` stripped, if it is one line of plain text.

    Raises:
        ValueError: it contains a line break, a control, format or private-use character (bidirectional controls are
            format characters), a surrogate or a Unicode noncharacter. Unassigned characters pass: a record outlives
            the Unicode version of the Python that reads it.

    >>> check_line("  lr 0.1 to 0.2 ")
    'lr 0.1 to 0.2'
    """
    for position, character in enumerate(text):
        if unicodedata.category(character) in _REFUSED or _is_noncharacter(character):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise ValueError(f"contains {name} at character {position}: write one line of plain text")
    return text.strip()


def _is_noncharacter(character: str) -> bool:
    return ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"


def check_authored(text: str, *, least: int = 0) -> str:
    """Return the line that an agent wrote on purpose, stripped.

    Raises:
        ValueError: it is not one plain line, contains leaked tool-call markup or something that looks like a key, is a
            placeholder such as `TODO`, or has fewer than `least` characters. The message completes "the title ...".

    >>> check_authored("Warm up for 5 % of the steps", least=10)
    'Warm up for 5 % of the steps'
    """
    line = check_line(text)
    if markup := _MARKUP.search(line):
        raise ValueError(f"contains the tool-call markup {markup.group()!r}: send plain text, one argument at a time")
    if looks_secret(line):
        raise ValueError("contains what looks like a key: the record is permanent, so leave credentials out")
    if line and _PLACEHOLDER.match(line):
        raise ValueError(f"is the placeholder {line!r}: say what you changed and why it should help")
    if len(line) < least:
        raise ValueError(f"has {len(line)} characters, fewer than {least}: say what you changed and why it should help")
    return line


def clip(text: str, width: int) -> str:
    """Cut `text` to one printable line of at most `width` characters, with `?` for each control character.

    >>> clip("one\\n\\ttwo three", 9)
    'one two …'
    """
    flat = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in " ".join(text.split()))
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def plain_line(text: str, width: int) -> str:
    """Return `text` stripped if it is one plain line of at most `width` characters; otherwise clip it."""
    try:
        line = check_line(text)
    except ValueError:
        return clip(text, width)
    return line if len(line) <= width else clip(line, width)


Line = Annotated[str, AfterValidator(check_line)]
