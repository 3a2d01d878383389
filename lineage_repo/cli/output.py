"""The door to the terminal: no text of a record moves the cursor, hides a character or passes for another line.

A command says what it shows, as lines and as `(name, text)` rows; this module decides how that is printed. It imports
next to nothing, because a monitor runs `status` every second.
"""

import json
import shutil
import sys
import time
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
_DETAIL_S = 60.0
"""Seconds without a line after which a log that is no terminal gets a detail."""


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

    printer = ProgressPrinter()
    try:
        with progress_to(printer.print_line, printer.print_detail):
            yield
    finally:
        printer.clear()


class ProgressPrinter:
    """Prints progress to standard error: a terminal shows the newest detail in its last line, a file one a minute."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._at = time.monotonic()
        self._shown = 0

    def print_line(self, line: str) -> None:
        """Print a line that stays."""
        self.clear()
        print_progress(line)
        self._at = time.monotonic()

    def print_detail(self, line: str) -> None:
        """Show a step that the next one replaces."""
        if self._on_terminal:
            self.clear()
            text = escape_line(line)[: shutil.get_terminal_size().columns - 1]
            click.echo(text, nl=False, err=True)
            self._shown = len(text)
        elif time.monotonic() - self._at >= _DETAIL_S:
            self.print_line(line)

    def clear(self) -> None:
        """Remove a detail that still stands in the terminal's last line."""
        if self._shown:
            click.echo(f"\r{' ' * self._shown}\r", nl=False, err=True)
            self._shown = 0
