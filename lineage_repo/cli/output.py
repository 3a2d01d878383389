"""The door to the terminal: no text of a record moves the cursor, hides a character or passes for another line.

A command says what it shows, as lines and as `(name, text)` rows; this module decides how that is printed. It imports
next to nothing, because a monitor runs `status` every second.
"""

import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lineage_repo.text.escape import escape_line, escape_text

if TYPE_CHECKING:
    from pydantic import BaseModel

Row = tuple[str, str]
"""A name and its text; a row with an empty text is left out."""
_NAME_WIDTH = 9


def print_lines(*lines: str, err: bool = False) -> None:
    """Print lines; each stays on one line, whatever it holds."""
    click.echo("\n".join(escape_line(line) for line in lines), err=err)


def print_rows(rows: Iterable[Row | str], *, missing: str = "") -> None:
    """Print rows as aligned `name  text` and plain strings as they are; where there are none, `missing` on stderr."""
    if lines := align_rows(rows):
        print_lines(*lines)
    elif missing:
        print_lines(missing, err=True)


def align_rows(rows: Iterable[Row | str]) -> list[str]:
    """Return rows as lines in which every text begins in the same column."""
    shown = [row for row in rows if isinstance(row, str) or row[1]]
    width = max((len(row[0]) for row in shown if not isinstance(row, str)), default=0)
    width = max(width, _NAME_WIDTH)
    return [row if isinstance(row, str) else f"{row[0]:{width}} {row[1]}" for row in shown]


def print_answer(
    as_json: bool, schema: str, value: "Mapping[str, Any] | BaseModel", rows: Iterable[Row | str], *, missing: str = ""
) -> None:
    """Print a command's answer: `value` as JSON with its schema `espalier.NAME/1`, or `rows` for people.

    `rows` may be a generator, which runs only where people read.
    """
    if as_json:
        plain = value if isinstance(value, Mapping) else value.model_dump(mode="json")
        print_json({"schema": f"espalier.{schema}/1", **plain})
    else:
        print_rows(rows, missing=missing)


def print_text(text: str) -> None:
    """Print a text that has lines of its own."""
    click.echo(escape_text(text), nl=False)


def print_json(value: Any) -> None:
    """Print for a machine; what is not ASCII is escaped."""
    click.echo(json.dumps(value, indent=1))


def print_progress(line: str) -> None:
    """Print how far long work has come, to standard error."""
    print_lines(line, err=True)


@contextmanager
def show_progress() -> Generator[None]:
    """Print each line of `lineage_repo.progress` to standard error, escaped, while the block runs."""
    # Imported here because it brings in `logging`, which `status` and `log` never need.
    from lineage_repo.progress import progress_to

    with progress_to(print_progress):
        yield
