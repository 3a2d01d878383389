"""The `status` command: answered from the overview beside the repository while that is current, else from git.

Apart from the other commands because it imports nothing heavy: a monitor may ask every second.
"""

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.model.roster import arm_text
from lineage_repo.monitor import host_slots
from lineage_repo.monitor.health import look

EXIT = {"running": 0, "paused": 0, "done": 5, "idle": 5, "stalled": 6, "dead": 7}


@click.command()
@campaign_dir
@json_option
@click.option(
    "--exit-code",
    is_flag=True,
    help="For a monitor: exit 0 while a loop runs or is paused, 5 when none runs (it ended, or none ever ran), "
    "6 when it is stalled, 7 when it died.",
)
def status(directory: Path, as_json: bool, exit_code: bool) -> None:
    """Say where a campaign stands: best, counts, what runs now, what is wrong."""
    found: dict[str, Any] = {**look(directory), "slots": host_slots.slots(os.environ)}
    if as_json:
        print_json(found)
    else:
        print_lines(*_lines(directory, found))
    if exit_code:
        raise click.exceptions.Exit(EXIT[found["state"]])


def _lines(directory: Path, found: dict[str, Any]) -> list[str]:
    lines = [f"{found['campaign']}   {found['title']}   arm {arm_text(found['arm'], read_record=found['read_record'])}"]
    best, objective = found["best"], found["objective"]
    if best is None:
        return [*lines, f"no baseline yet: espalier calibrate {shlex.quote(str(directory))}"]
    digits, unit = objective["digits"], objective["unit"]
    if "at" in found["loop"]:
        lines.append(f"loop      {loop_line(found)}")
    gain = (
        f"{found['gain'] or 0:+.{digits}f} {unit} better than the baseline" if best["trial"] else "the baseline itself"
    )
    noise = f"(noise ±{found['noise_sd']:.{digits}f} per seed)" if found["noise_sd"] is not None else "(imported)"
    lines.append(f"best      {best['score']:.{digits}f} {unit}  #{best['trial']:04d} {best['title']}   {gain} {noise}")
    for again in found["certified"]:
        verdict = "certified" if again["certified"] else "not certified"
        lines.append(
            f"again     certification {again['nth']}: #{again['number']:04d} against #{again['against']:04d} on fresh "
            f"seeds: {verdict}, gain {again['gain']:.{digits}f} {unit}, p {again['p']:.2g}"
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
    live: list[dict[str, Any]] = found["loop"].get("live", []) if found["loop"]["alive"] else []
    lines += [f"session   {one['specialist']}: {one['doing']}, {one['turns']} turns" for one in live]
    return lines + [f"ALARM     {alarm['text']}" for alarm in found["alarms"]]


def loop_line(found: dict[str, Any]) -> str:
    """State, spend against caps, and what the loop says of its end."""
    loop, plan = found["loop"], found["loop"]["plan"]
    usd = f"{loop['usd']:.2f}" + (f" of {plan['usd']:g}" if plan["usd"] else "") + " USD"
    trials = f"{found['trials']}" + (f" of {plan['trials']}" if plan["trials"] else "") + " trials"
    parts = [
        found["state"],
        f"{loop['hours']:.1f} of {plan['hours']:g} h",
        f"no keep for {loop['hours_since_keep']:.1f} of {plan['no_improvement_hours']:g} h",
        usd,
        trials,
    ]
    if loop.get("reason"):
        parts[0] = f"ended ({loop['reason']}: {loop['detail']})"
    elif loop["alive"]:
        parts[0] += f" {ago(loop['began'])}, process {loop['pid']}"
    return "   ".join(parts)


def ago(moment: str) -> str:
    """How long ago a time was, in its two largest units."""
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))
    for unit, size, below, smaller in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller} {below}"
    return f"{seconds} s"
