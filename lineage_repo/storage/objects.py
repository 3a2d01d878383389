"""Git objects as values: commits, who signs them, and the entries of a tree."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

PLAIN_MODES = {"100644", "100755"}
"""Git's modes of plain files."""


class Signature(NamedTuple):
    """Author and time of a commit; the name comes from the campaign's own lists, never from an agent's text."""

    author: str
    at: datetime

    def lines(self) -> list[str]:
        """Return author and committer as the commit object has them."""
        stamp = f"{int(self.at.timestamp())} +0000"
        return [
            f"author {self.author} <{self.author}@espalier.invalid> {stamp}",
            f"committer evaluator <evaluator@espalier.invalid> {stamp}",
        ]


class Commit(NamedTuple):
    """A commit as `verify` compares it."""

    header: list[str]
    """Parents, author and committer, as the commit object has them."""
    message: str
    files: Mapping[str, bytes]
    """The files at the top level of its tree."""
    recipe_tree: str
    """Tree of its `recipe/`; empty if it has none."""


def tree_entries(raw: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield mode, name and object id of each entry of a raw tree object."""
    while raw:
        head, _, rest = raw.partition(b"\0")
        mode, _, name = head.decode("utf-8", "backslashreplace").partition(" ")
        yield mode, name, rest[:20].hex()
        raw = rest[20:]
