"""Arguments and options that many commands share, each declared once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

campaign_dir = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


def trial_argument(name: str) -> Callable[[Any], Any]:
    """A trial's number, written as 42, 0042, #42 or trial/0042."""
    return click.argument(name, metavar=name.upper(), callback=_trial_number)


def _trial_number(_: Any, __: Any, value: str) -> int:
    digits = value.removeprefix("trial/").removeprefix("#")
    if not digits.isdecimal():
        raise click.BadParameter(f"{value!r} is no trial number: write 42, 0042 or trial/0042")
    return int(digits)
