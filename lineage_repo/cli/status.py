"""The command `status`: answered from the overview beside the repository while that is current, else from git.

Imports nothing heavy: a monitor may ask every second.
"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import Row, print_json, print_rows
from lineage_repo.monitor.health import CampaignStatus, State, read_status
from lineage_repo.monitor.host_slots import read_slots
from lineage_repo.monitor.overview import BestTrial, CertificationView, Overview
from lineage_repo.text.phrases import arm_text, certified_text, format_age

EXIT: dict[State, int] = {"running": 0, "paused": 0, "done": 5, "idle": 5, "stalled": 6, "dead": 7}


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
    """Show where a campaign stands: its best trial, counts, what runs now, and what is wrong."""
    now = read_status(directory)
    if as_json:
        print_json(status_json(now))
    else:
        print_rows(_rows(directory, now))
    if exit_code:
        raise click.exceptions.Exit(EXIT[now.state])


def status_json(now: CampaignStatus) -> dict[str, Any]:
    """Return what `status --json` and `top --json` print: the campaign, and the slots of this host."""
    return now.as_json() | {"slots": read_slots(os.environ)._asdict()}


def _rows(directory: Path, now: CampaignStatus) -> Iterator[Row | str]:
    overview = now.overview
    arm = arm_text(overview.arm, read_record=overview.read_record)
    yield f"{overview.campaign}   {overview.title}   arm {arm}"
    if overview.best is None:
        yield f"no baseline yet: espalier calibrate {shlex.quote(str(directory))}"
        return
    yield "loop", loop_line(now)
    yield "best", _best_text(overview, overview.best)
    yield from (("again", _certification_text(overview, entry)) for entry in overview.certified)
    counts = (f"{name} {count}" for name, count in overview.counts.items())
    yield "trials", "   ".join((str(overview.trials), *counts))
    for trial in now.running:
        name = f"#{trial.entry.trial:04d} {trial.entry.title}"
        if trial.alive:
            yield "running", f"{name} ({trial.doing})" if trial.doing else name
        else:
            yield "dead", f"its runner ended; the next serve or run records it as harness_abort: {name}"
    if now.alive and now.run:
        yield from (("session", f"{live.specialist}: {live.doing}, {live.turns} turns") for live in now.run.live)
    yield from (("ALARM", alarm.text) for alarm in now.alarms)


def _best_text(overview: Overview, best: BestTrial) -> str:
    objective, unit = overview.objective, overview.objective.unit
    gain = f"{objective.text(overview.gain or 0, '+')} {unit} better than the baseline"
    sd = overview.noise_sd
    noise = "(imported)" if sd is None else f"(noise ±{objective.text(sd)} per seed)"
    name = f"#{best.trial:04d} {best.title}"
    return f"{objective.text(best.score)} {unit}  {name}   {gain if best.trial else 'the baseline itself'} {noise}"


def _certification_text(overview: Overview, entry: CertificationView) -> str:
    return (
        f"certification {entry.nth}: #{entry.number:04d} against #{entry.against:04d} on fresh seeds: "
        f"{certified_text(entry.certified)}, gain {overview.objective.text(entry.gain)} {overview.objective.unit}, "
        f"p {entry.p:.2g}"
    )


def loop_line(now: CampaignStatus) -> str:
    """Return the loop's state, its spending against its caps, and why it ended; empty where no loop ever ran."""
    run = now.run
    if run is None:
        return ""
    plan = run.plan
    if run.reason:
        state = f"ended ({run.reason}: {run.detail})"
    else:
        state = f"{now.state} {format_age(run.began, now.at)}, process {run.pid}" if now.alive else now.state
    return "   ".join(
        [
            state,
            f"{run.hours:.1f} of {plan.hours:g} h",
            f"no keep for {run.hours_since_keep:.1f} of {plan.no_improvement_hours:g} h",
            f"{run.usd:.2f}" + (f" of {plan.usd:g}" if plan.usd else "") + " USD",
            f"{now.overview.trials}" + (f" of {plan.trials}" if plan.trials else "") + " trials",
        ]
    )
