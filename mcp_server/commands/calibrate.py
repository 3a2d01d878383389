"""`espalier calibrate`: measure the unmodified start and its noise."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress, show_progress
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Margin
from lineage_repo.prompting.queries import margin_text
from mcp_server.commands.opening import open_to_measure
from mcp_server.trial.calibration import Noise, summarize_noise
from mcp_server.trial.calibration import calibrate as run_calibration

_SHOWN = 2


@click.command()
@campaign_dir
@click.option(
    "--repeats", type=click.IntRange(1, 50), default=2, show_default=True, help="Measurements of the start to add."
)
@click.option("--if-needed", is_flag=True, help="Do nothing if the campaign has a baseline already.")
@json_option
def calibrate(directory: Path, repeats: int, if_needed: bool, as_json: bool) -> None:
    """Measure the unmodified start REPEATS times; each seed twice in turn.

    Its spread scales the screen of every trial; how values of the same seed agree decides whether blocks share seeds.

    The first call also records the start as trial 0000. Every repeat is an entry of its own, so with --if-needed an
    interrupted calibration continues where it stopped.
    """
    campaign, executor = open_to_measure(directory)
    done = len(campaign.lineage.refresh().calibrations)
    if if_needed:
        repeats = max(0, repeats - done)
        if campaign.lineage.head:
            campaign.lineage.repair_refs()
            print_progress(f"calibrated already: {done} measurements")
            if not as_json:
                return None
            repeats = 0
    folder = shlex.quote(str(directory))
    if repeats or not campaign.lineage.head:
        try:
            with show_progress():
                run_calibration(campaign, repeats, executor)
        except KeyboardInterrupt:
            recorded = len(campaign.lineage.refresh().calibrations)
            wanted = (done if if_needed else 0) + repeats
            again = f"espalier calibrate {folder} --repeats {wanted} --if-needed"
            print_progress(f"interrupted with {recorded} measurements recorded; to go on: {again}")
            raise SystemExit(130) from None
    noise = summarize_noise(campaign)
    if as_json:
        return print_json({"schema": "espalier.calibrate/3", **noise.model_dump(mode="json")})
    trials = len(campaign.lineage.registered) + 7
    return print_lines(
        *_format_noise(noise, campaign.task), f"next      espalier run {folder} --model standin --trials {trials}"
    )


def _format_noise(noise: Noise, task: Task) -> list[str]:
    objective, cost = task.objective, noise.cost
    seeds = "a seed of their own" if not noise.shared_seeds else "the same seed"
    correlation = "not known" if noise.correlation is None else f"{noise.correlation:.2f}"
    seen = f"{noise.smallest_gain:.3g} {objective.unit}"
    return [
        f"baseline  {objective.metric} {objective.text(noise.baseline)}",
        *(
            f"noise     {name} sd {spread.sd:.3g} per seed, mean {spread.mean:.5g} over {spread.n} seeds of the start"
            for name, spread in noise.spreads.items()
        ),
        f"blocks    both sides take {seeds}: the start's correlation under one seed is {correlation}",
        f"cost      {cost.null_trial:.1f} seeds for a trial that gains nothing, {cost.keep} for a keep",
        f"smallest  gain that a trial finds in 80 %: {seen}",
        *(f"gate      the start passes {name} in {p:.0%} of trials" for name, p in noise.gates.items()),
        *(f"margin    {margin_text(task, margin)}" for margin in _tightest(noise.margins)),
        f"clock     {noise.clock}",
        *(f"warning   {warning}" for warning in noise.warnings),
    ]


def _tightest(margins: Sequence[Margin]) -> list[Margin]:
    """Return the margins of which the smallest share of the limit is left; all of them are in the JSON."""
    return sorted(margins, key=lambda m: abs(m.margin / m.limit) if m.limit else abs(m.margin))[:_SHOWN]
