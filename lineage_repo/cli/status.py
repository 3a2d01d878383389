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
from lineage_repo.monitor.overview import Overview, ProofView, StandingTrial
from lineage_repo.monitor.record_view import p_text
from lineage_repo.text.phrases import arm_text, format_age

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
    """Show where a campaign stands: head and anchor, the newest proof, counts, what runs now, and what is wrong."""
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
    if overview.head is None or overview.anchor is None:
        yield f"no baseline yet: espalier calibrate {shlex.quote(str(directory))}"
        return
    yield "loop", loop_line(now)
    yield "head", standing_text(overview, overview.head)
    if overview.anchor.trial != overview.head.trial:
        yield "anchor", standing_text(overview, overview.anchor)
    if overview.proof:
        doing = "its runner ended" if now.proof and not now.proof.alive else now.proof.doing if now.proof else ""
        yield f"proof {overview.proof.proof}", proof_text(overview, overview.proof, doing)
    yield "sees", sees_text(overview)
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


def standing_text(overview: Overview, trial: StandingTrial) -> str:
    """Return the head or the anchor: score, name, and what is proven of its gain over the start."""
    objective, unit = overview.objective, overview.objective.unit
    name = f"{objective.text(trial.score)} {unit}  #{trial.trial:04d} {trial.title}"
    if trial.trial == 0:
        return f"{name}   the start itself"
    proven = "as its origin kept it" if overview.imported else trial.level or "not proven"
    gain = f"{objective.gain_text(trial.gain)} {unit} {trial.gain.relation('the start')}, " if trial.gain else ""
    return f"{name}   {gain}{proven}"


def proof_text(overview: Overview, proof: ProofView, doing: str) -> str:
    """Return what a proof tests, and how far it is or what it showed."""
    if proof.outcome is None:
        return f"{proof.title}: running" + (f" ({doing})" if doing else "")
    metric = "" if proof.metric == overview.objective.metric else f" in {proof.metric}"
    gain = f", {overview.objective.gain_text(proof.gain)} {overview.objective.unit}{metric}" if proof.gain else ""
    p = "" if proof.p is None else f", {p_text(proof.p)}"
    blocks = f" in {proof.gain.n} blocks" if proof.gain else ""
    because = f"  [{proof.failure}]" if proof.failure else ""
    return f"{proof.title}: {proof.outcome}{gain}{p}{blocks}{because}"


def sees_text(overview: Overview) -> str:
    """Return the smallest gain that a trial finds, and the noise behind it."""
    objective = overview.objective
    if overview.smallest_gain is None or overview.noise_sd is None:
        return "the noise of these scores is unknown: imported"
    smallest = f"a trial finds a gain of {objective.text(overview.smallest_gain)} {objective.unit} with 80 %"
    return f"{smallest}; one seed of the start has sd {objective.text(overview.noise_sd)}"


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
