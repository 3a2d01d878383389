"""A campaign for the public: the record as one git bundle, and its report. Nothing else leaves the folder.

The record can't be edited, since every id in it follows from its bytes. So it is searched for private text first, and a
bundle is refused if there is any.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lineage_repo.errors import InterchangeError
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.files import write_whole
from lineage_repo.text.redact import Redactor, looks_secret

_SHOWN = 8
_LEAST = 5
"""Shorter names are common words, which any text may hold."""


def write_bundle(
    lineage: Lineage, out: Path, private: Mapping[str, str], redact: Redactor, page: Callable[[], str], *, as_is: bool
) -> None:
    """Make the folder `out` with `lineage.bundle`, `report.html` and `README.md`.

    Raises:
        InterchangeError: `out` exists, or the record holds a text of `private` (texts by what they are), a credential
            or what looks like a key, and `as_is` is false.
    """
    if out.exists():
        raise InterchangeError(f"{out} is there already: name a new folder")
    if not out.absolute().parent.is_dir():
        raise InterchangeError(f"{out.absolute().parent} is not a folder: make it first")
    leaks = [] if as_is else list(find_leaks(lineage, private, redact))
    if leaks:
        more = f" and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        raise InterchangeError(
            f"the record holds what should not be public: {'; '.join(leaks[:_SHOWN])}{more}. "
            "It can't be edited; --as-is publishes it nevertheless"
        )
    body = page()
    out.mkdir()
    lineage.store.bundle(out / "lineage.bundle")
    write_whole(out / "report.html", body.encode())
    write_whole(out / "README.md", _write_readme(lineage).encode())


def find_leaks(lineage: Lineage, private: Mapping[str, str], redact: Redactor) -> Iterator[str]:
    """Describe each object of the record that holds private text, one line each, without the text itself."""
    patterns = {what: _compile_private(text) for what, text in private.items() if len(text) >= _LEAST}
    for name, body in lineage.store.texts():
        text = f"{name}\n{body}"
        leaks = [what for what, pattern in patterns.items() if pattern.search(text)]
        if looks_secret(text) or redact(text) != text:
            leaks.append("a credential or what looks like one")
        if leaks:
            yield f"{name} holds {', '.join(leaks)}"


def _write_readme(lineage: Lineage) -> str:
    if lineage.is_imported:
        words = {"recipe": "", "replays": "checks that each says what was imported"}
    else:
        words = {"recipe": " and checks out the best recipe", "replays": "replays every verdict"}
    return _README.format(tip=lineage.tip, **words)


def _compile_private(text: str) -> re.Pattern[str]:
    """Match a path anywhere, however its slashes are written, and a name as a whole word."""
    if "/" not in text:
        return re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w-])")
    return re.compile(r"(?:/|\\/|%2[Ff])".join(map(re.escape, text.split("/"))))


_README = """# A campaign's record

`git clone lineage.bundle campaign` brings every trial{recipe}; `espalier verify campaign` {replays}.
The ledger's tip is `{tip}`. `report.html` shows the campaign in a browser, without a network.
"""
