"""Redaction: credentials never reach a transcript, a log or a report."""

import json
import re
from collections.abc import Iterable, Mapping

MARK = "[redacted]"
_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|CUSTOM_HEADERS", re.I)
_LEAST = 8
"""Shorter values are words such as `none`, whose removal would garble every text."""
_KEYS = re.compile(
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}"  # Anthropic and others
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # Amazon
    r"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    r"|\bya29\.[A-Za-z0-9_-]{20,}"
    r"|\b(?:gh[opsur]|github_pat|glpat|hf|npm|pypi|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    # JSON web tokens; one begins where no part of another could, or a long text would be read again for each of them.
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_BEARER = re.compile(r"(\bBearer\s+)[A-Za-z0-9._~+/-]{16,}=*", re.I)
_QUERY = re.compile(r"([?&][^=&#\s\"]{0,100}(?:key|token|secret|passw|sig)[^=&#\s\"]{0,100}=)[^&#\s\"]+", re.I)
_LOGIN = re.compile(r"(://)[^/\s:@\"]{1,200}:[^/\s@\"]{1,200}(@)")


def looks_secret(text: str) -> bool:
    """Whether something in `text` has the form of a known kind of key."""
    return bool(_KEYS.search(text) or _BEARER.search(text))


class Redactor:
    """Replaces given values, plain or as in JSON, and whatever looks like a key."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        spelt = {form for v in values if len(v) >= _LEAST for form in (v, json.dumps(v)[1:-1])}
        self._values = sorted(spelt, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} values)"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Redactor":
        """One that knows the environment's credentials by the names of their variables."""
        return cls(value for name, value in environment.items() if _NAMES.search(name))

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MARK)
        text = _QUERY.sub(rf"\1{MARK}", _KEYS.sub(MARK, text))
        return _LOGIN.sub(rf"\1{MARK}\2", _BEARER.sub(rf"\1{MARK}", text))
