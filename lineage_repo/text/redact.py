"""Redaction: credentials never reach a transcript, a log or a report."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

MARK = "[redacted]"
_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|CUSTOM_HEADERS", re.I)
_LEAST = 8
"""Shorter values are words such as `none`, whose removal would garble every text."""
_ESCAPED = r"(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4})"
"""Behind an escape of JSON, whose last character is none of the text's: much of what agents see is JSON."""
_KEYS = re.compile(
    rf"(?:\b|{_ESCAPED})(?:"
    r"(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}"  # Anthropic and others
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # Amazon
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|ya29\.[A-Za-z0-9_-]{20,}"
    r"|(?:gh[opsur]|github_pat|glpat|hf|npm|pypi|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    # JSON web tokens; one begins where no part of another could, or a long text would be read again for each of them.
    rf")|(?:(?<![A-Za-z0-9_-])|{_ESCAPED})eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{5,}}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_BEARER = re.compile(rf"((?:\b|{_ESCAPED})Bearer\s+)[A-Za-z0-9._~+/-]{{16,}}=*", re.I)
_ADDRESS = re.compile(r"://(?:[^\s\"\\]|\\(?!\"))+")
"""Up to a quote, whose backslash is not the address's."""
_PARAMETER = re.compile(r"([?&][^=&#?]*=)[^&#]+")
_PRIVATE = re.compile(r"key|token|secret|passw|sig", re.I)
_LOGIN = re.compile(r"(://)[^/\s:@\"]{1,200}:[^/\s@\"]{1,200}(@)")


def looks_secret(text: str) -> bool:
    """Whether something in `text` has the form of a known kind of key."""
    return bool(_KEYS.search(text) or _BEARER.search(text))


class Redactor:
    """Replaces given values, plain or as in JSON, and whatever looks like a key.

    What is to be JSON is redacted before: `data`, then written.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        spelt = {form for v in values if len(v) >= _LEAST for form in (v, *_escaped(v))}
        self._values = sorted(spelt, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} values)"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Redactor":
        """One that knows the environment's credentials by the names of their variables."""
        return cls(value for name, value in environment.items() if _NAMES.search(name))

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MARK)
        text = _ADDRESS.sub(_without_private, _KEYS.sub(MARK, text))
        return _LOGIN.sub(rf"\1{MARK}\2", _BEARER.sub(rf"\1{MARK}", text))

    def redact_data(self, value: Any, cut: Callable[[str], str] = str) -> Any:
        """Plain data with every text in it cut and redacted, names too; what is not plain becomes its text."""
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                found = cast("dict[Any, Any]", value)
                return {self.redact_data(key, cut): self.redact_data(inner, cut) for key, inner in found.items()}
            case list() | tuple():
                return [self.redact_data(inner, cut) for inner in cast("list[Any]", value)]
            case _:
                return self(cut(str(value)))


def _escaped(value: str) -> tuple[str, str]:
    """A value as it stands inside JSON, with characters beyond ASCII escaped or not."""
    return json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]


def _without_private(address: re.Match[str]) -> str:
    return _PARAMETER.sub(lambda p: p[1] + MARK if _PRIVATE.search(p[1]) else p[0], address[0])
