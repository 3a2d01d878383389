"""Entries: the JSON of the ledger, parsed."""

import json
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import (
    SCHEMA_VERSION,
    Entry,
)
from lineage_repo.storage.store import Row
from lineage_repo.text.escape import escape_line

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_FORMATS = 1000
"""No version will have this format: an entry that claims one is malformed, not old or new."""


def read_entry(row: Row) -> Entry:
    """Parse one ledger entry.

    Raises:
        RecordError: the entry is malformed, or has a format that this version does not read.
    """
    try:
        return _ENTRY.validate_json(row.body)
    except ValidationError as error:
        if (version := _read_version(row.body)) != SCHEMA_VERSION:
            raise RecordError(
                f"this record has format {version}, and this version of espalier reads format {SCHEMA_VERSION} only: "
                "read it with the version that made it, or make a new campaign"
            ) from None
        problem = error.errors()[0]
        # One line: a key that a stranger chose may hold line breaks and pass for a line of espalier's.
        where = "".join(f"{escape_line(str(part))}: " for part in problem["loc"])
        raise RecordError(
            f"ledger entry {row.commit} is not one that this version knows: {where}{escape_line(problem['msg'])}"
        ) from None


def _read_version(body: bytes) -> int:
    """Return the format that an entry claims; the current one if it claims no number, as most kinds of entry do."""
    with suppress(ValueError, AttributeError, RecursionError):
        version: object = json.loads(body).get("schema_version")
        if type(version) is int and 0 < version < _FORMATS:
            return version
    return SCHEMA_VERSION
