"""Arguments and options that many commands share, each declared once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

campaign_dir = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


def trial_argument(name: str, *, required: bool = True) -> Callable[[Any], Any]:
    """Declare a trial's number as an argument; it may be written as 42, 0042, #42 or trial/0042."""
    metavar = name.upper() if required else f"[{name.upper()}]"
    return click.argument(name, metavar=metavar, required=required, callback=_parse_trial_number)


def _parse_trial_number(_: Any, __: Any, value: str | None) -> int | None:
    if value is None:
        return None
    digits = value.removeprefix("trial/").removeprefix("#")
    if not digits.isdecimal():
        raise click.BadParameter(f"{value!r} is not a trial number: write 42, 0042 or trial/0042")
    return int(digits)
