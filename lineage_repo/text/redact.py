"""Redaction: credentials never reach a transcript, a log or a report."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

MARK = "[redacted]"
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|CUSTOM_HEADERS", re.I)
_MIN_LENGTH = 8
"""Shorter values are words such as `none`; redacting those would garble every text."""
_ESCAPED = r"(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4})"
"""After a JSON escape, whose last character is not part of the text: much of what agents see is JSON."""
_KEYS = re.compile(
    rf"(?:\b|{_ESCAPED})(?:"
    r"(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}"  # Anthropic and others
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # Amazon
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|ya29\.[A-Za-z0-9_-]{20,}"
    r"|(?:gh[opsur]|github_pat|glpat|hf|npm|pypi|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    # JSON web tokens. The look-behind keeps the search linear: a token starts only where none could be under way.
    rf")|(?:(?<![A-Za-z0-9_-])|{_ESCAPED})eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{5,}}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_BEARER = re.compile(rf"((?:\b|{_ESCAPED})Bearer\s+)[A-Za-z0-9._~+/-]{{16,}}=*", re.I)
_ADDRESS = re.compile(r"://(?:[^\s\"\\]|\\(?!\"))+")
"""Ends before a quote, whose backslash does not belong to the address."""
_PARAMETER = re.compile(r"([?&][^=&#?]*=)[^&#]+")
_SECRET_PARAMETER = re.compile(r"key|token|secret|passw|sig", re.I)
_CREDENTIALS_IN_URL = re.compile(r"(://)[^/\s:@\"]{1,200}:[^/\s@\"]{1,200}(@)")


def looks_secret(text: str) -> bool:
    """Return whether `text` contains something that has the form of a known kind of key.

    >>> looks_secret("set sk-ant-0123456789abcdef0"), looks_secret("a sketch of the idea")
    (True, False)
    """
    return bool(_KEYS.search(text) or _BEARER.search(text))


class Redactor:
    """Replaces known secrets, plain or as JSON spells them, and everything that looks like a key.

    Redact data before you write it as JSON (`redact_data`): in finished JSON a mark could swallow an escape.

    >>> Redactor(["correct-horse-battery"])("user:correct-horse-battery, https://host/?token=1")
    'user:[redacted], https://host/?token=[redacted]'
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        spellings = {form for v in values if len(v) >= _MIN_LENGTH for form in (v, *_escape_json(v))}
        self._values = sorted(spellings, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} values)"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Redactor":
        """Return a redactor that knows every value whose variable is named like a credential."""
        return cls(value for name, value in environment.items() if _SECRET_NAMES.search(name))

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MARK)
        text = _ADDRESS.sub(_redact_parameters, _KEYS.sub(MARK, text))
        return _CREDENTIALS_IN_URL.sub(rf"\1{MARK}\2", _BEARER.sub(rf"\1{MARK}", text))

    def redact_data(self, value: Any, cut: Callable[[str], str] = str) -> Any:
        """Return plain data with each text, keys included, cut and then redacted; other objects become their `str`."""
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                items = cast("dict[Any, Any]", value).items()
                return {self.redact_data(key, cut): self.redact_data(inner, cut) for key, inner in items}
            case list() | tuple():
                return [self.redact_data(inner, cut) for inner in cast("list[Any]", value)]
            case _:
                return self(cut(str(value)))


def _escape_json(value: str) -> tuple[str, str]:
    """Return how a value reads inside JSON, with characters beyond ASCII escaped and not."""
    return json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]


def _redact_parameters(address: re.Match[str]) -> str:
    return _PARAMETER.sub(lambda p: p[1] + MARK if _SECRET_PARAMETER.search(p[1]) else p[0], address[0])
