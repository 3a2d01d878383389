"""The `status` command: answered from the overview beside the repository while that is current, else from git.

Apart from the other commands because it imports nothing heavy: a monitor may ask every second.
"""

import importlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from lineage_repo import claims


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def status(directory: Path, as_json: bool) -> None:
    """Say where a campaign stands: best, counts, what runs now."""
    found = _current(directory) or _from_git(directory)
    for entry in found["running"]:
        folder = directory / "trials" / f"{entry['trial']:04d}"
        entry["alive"] = claims.alive(folder)
        with suppress(OSError):
            entry["doing"] = (folder / "progress.txt").read_text("utf-8")
    click.echo(json.dumps(found, indent=1) if as_json else "\n".join(_lines(directory, found)))


def _current(directory: Path) -> dict[str, Any] | None:
    """The overview, if it was written for the ledger's present tip."""
    try:
        tip = (directory / "lineage.git" / "refs" / "heads" / "ledger").read_text("ascii").strip()
        found = json.loads((directory / "overview.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.get("tip") == tip and "arm" in found else None


def _from_git(directory: Path) -> dict[str, Any]:
    """Fold the whole ledger, and leave the overview for the next call."""
    lineage = importlib.import_module("lineage_repo.commands").open_lineage(directory)
    with suppress(OSError):
        lineage.write_overview()
    return lineage.overview()


def arm_text(arm: str, *, lineage: bool) -> str:
    """How a search is organised, as people read it."""
    return arm if lineage else f"{arm}, no lineage"


def _lines(directory: Path, found: dict[str, Any]) -> list[str]:
    lines = [f"{found['campaign']}   {found['title']}   arm {arm_text(found['arm'], lineage=found['lineage'])}"]
    best, objective = found["best"], found["objective"]
    if best is None:
        return [*lines, f"no baseline yet: espalier calibrate {directory}"]
    digits, unit = objective["digits"], objective["unit"]
    lines.append(
        f"best      {best['score']:.{digits}f} {unit}  #{best['trial']:04d} {best['title']}   "
        f"{found['gain'] or 0:+.{digits}f} {unit} better than the baseline "
        + (f"(noise ±{found['noise_sd']:.{digits}f} per seed)" if found["noise_sd"] is not None else "(imported)")
    )
    lines.append("   ".join([f"trials    {found['trials']}", *(f"{name} {n}" for name, n in found["counts"].items())]))
    for entry in found["running"]:
        what = (
            "running  "
            if entry["alive"]
            else "dead      its runner ended; the next serve or run records it as harness_abort:"
        )
        doing = f" ({entry['doing']})" if entry["alive"] and "doing" in entry else ""
        lines.append(f"{what} #{entry['trial']:04d} {entry['title']}{doing}")
    return lines
