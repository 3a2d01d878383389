"""The door to the terminal: no text of a record moves the cursor, hides a character or passes for another line.

Imports next to nothing, like the commands that a monitor asks every second.
"""

import json
from typing import Any

import click

from lineage_repo.text.escape import escape_line, escape_text


def print_lines(*lines: str, err: bool = False) -> None:
    """Print lines; whatever one of them holds, it stays one."""
    click.echo("\n".join(escape_line(line) for line in lines), err=err)


def print_progress(line: str) -> None:
    """Print how far long work has come, to standard error."""
    print_lines(line, err=True)


def print_text(text: str) -> None:
    """Print a text that has lines of its own."""
    click.echo(escape_text(text), nl=False)


def print_json(value: Any) -> None:
    """Print for a machine; what is not ASCII is escaped."""
    click.echo(json.dumps(value, indent=1))
