"""A campaign for the public: the record as one git bundle, and its report. Nothing else leaves the folder.

The record can't be edited, since every id in it follows from its bytes. So it is searched first for what is nobody's
business, and not written where something is found.
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
"""Shorter names are words that stand in every text."""


def write_bundle(
    lineage: Lineage, out: Path, private: Mapping[str, str], redact: Redactor, page: Callable[[], str], *, as_is: bool
) -> None:
    """Make the folder `out` with `lineage.bundle`, `report.html` and `README.md`.

    Raises:
        InterchangeError: `out` exists, or the record holds something of `private` (what it is, its text), a credential,
            or what looks like a key, and `as_is` does not say to publish it all the same.
    """
    if out.exists():
        raise InterchangeError(f"{out} is there already: name a new folder")
    if not out.absolute().parent.is_dir():
        raise InterchangeError(f"{out.absolute().parent} is no folder: make it first")
    leaks = [] if as_is else list(find_leaks(lineage, private, redact))
    if leaks:
        more = f" and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        raise InterchangeError(
            f"the record holds what should not be public: {'; '.join(leaks[:_SHOWN])}{more}. "
            "It can't be edited; --as-is publishes it all the same"
        )
    body = page()
    out.mkdir()
    lineage.store.bundle(out / "lineage.bundle")
    write_whole(out / "report.html", body.encode())
    write_whole(out / "README.md", _readme(lineage).encode())


def find_leaks(lineage: Lineage, private: Mapping[str, str], redact: Redactor) -> Iterator[str]:
    """Each object of the record that holds something private, one line each, without the thing itself."""
    patterns = {what: _pattern(text) for what, text in private.items() if len(text) >= _LEAST}
    for name, body in lineage.store.texts():
        text = f"{name}\n{body}"
        found = [what for what, pattern in patterns.items() if pattern.search(text)]
        if looks_secret(text) or redact(text) != text:
            found.append("a credential or what looks like one")
        if found:
            yield f"{name} holds {', '.join(found)}"


def _readme(lineage: Lineage) -> str:
    if lineage.is_imported:
        said = {"recipe": "", "replays": "checks that each says what was imported"}
    else:
        said = {"recipe": " and checks out the best recipe", "replays": "replays every verdict"}
    return _README.format(tip=lineage.tip, **said)


def _pattern(text: str) -> re.Pattern[str]:
    """A path wherever it stands and however its slashes are written; a name as a word of its own."""
    if "/" not in text:
        return re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w-])")
    return re.compile(r"(?:/|\\/|%2[Ff])".join(map(re.escape, text.split("/"))))


_README = """# A campaign's record

`git clone lineage.bundle campaign` brings every trial{recipe}; `espalier verify campaign` {replays}.
The ledger's tip is `{tip}`. `report.html` shows the campaign in a browser, without a network.
"""
