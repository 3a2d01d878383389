"""`espalier certify`: measure the best and another recipe again, on fresh seeds, in turn."""

from pathlib import Path
from statistics import fmean

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, show_progress
from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Certification
from lineage_repo.model.manifest import MIN_CERTIFICATION_SEEDS, Task
from lineage_repo.model.measurement import LEVELS, Measurement, now
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.verdict.certification import compare_recipes, required_p
from lineage_repo.verdict.judge import pool_measurements, values_per_seed
from mcp_server.commands.opening import open_to_measure
from mcp_server.trial.attempts import measure_again
from mcp_server.trial.executor import Executor


@click.command("certify")
@campaign_dir
@click.option("--trial", type=click.IntRange(0), help="The recipe in question.  [the best]")
@click.option(
    "--against", type=click.IntRange(0), default=0, show_default=True, help="What it must beat; 0: the start."
)
@click.option(
    "--seeds",
    type=click.IntRange(MIN_CERTIFICATION_SEEDS, 64),
    help="Fresh seeds of each of the two.  [the manifest's]",
)
@json_option
def certify(directory: Path, trial: int | None, against: int, seeds: int | None, as_json: bool) -> None:
    """Measure a trial and what it must beat again, on fresh seeds and in turn; exits 1 if the gain does not hold.

    A search picks the luckiest of many trials, and a host drifts: this is the number to publish. It goes into the
    record, no agent sees it, and `verify` replays it. Each certification halves the p that the campaign's next one
    needs, so that asking until the answer is yes does not pay.
    """
    campaign, executor = open_to_measure(directory)
    best = campaign.lineage.refresh().best
    number = trial if trial is not None else best.number if best else 0
    with show_progress():
        entry = measure_pair(campaign, number, against, seeds or campaign.task.certification.n_seeds, executor)
    if as_json:
        print_json(_as_json(campaign, entry))
    else:
        print_lines(*_format(campaign, entry))
    if not entry.certified:
        raise SystemExit(1)


def measure_pair(campaign: Campaign, number: int, against: int, n_seeds: int, executor: Executor) -> Certification:
    """Measure both recipes, seed by seed in turn, and record the comparison.

    Raises:
        CampaignError: both are the same trial, or one of them could not be measured.
    """
    campaign.check_digests()
    lineage, task = campaign.lineage.refresh(), campaign.task
    if number == against:
        raise CampaignError(f"trial {number:04d} can't beat itself: name another with --trial or --against")
    recipes = {n: lineage.read_recipe(n) for n in (number, against)}
    runs: dict[int, list[Measurement]] = {number: [], against: []}
    isolations: list[dict[str, str]] = []
    for turn in range(n_seeds):
        # The order alternates, so that a host that warms up or slows down favours neither.
        for n in (number, against) if turn % 2 == 0 else (against, number):
            subject = f"trial {n:04d}"
            report_progress(f"seed {turn + 1} of {n_seeds}: {subject}")
            measurement, isolation = measure_again(
                campaign, recipes[n], executor, kind="certify", subject=subject, n_seeds=1, guarded=True
            )
            runs[n].append(measurement)
            isolations.append(isolation)
    pair = pool_measurements(runs[number]), pool_measurements(runs[against])
    weakest = min(isolations, key=lambda isolation: LEVELS.index(isolation["level"]))
    return lineage.certify(
        lambda: compare_recipes(
            task, (number, against), pair, lineage.noise(task), weakest, now(), earlier=len(lineage.certifications)
        )
    )


def _means(task: Task, entry: Certification) -> dict[str, tuple[float, float]]:
    ours, theirs = (values_per_seed(task, measurement) for measurement in entry.measurements)
    return {name: (fmean(ours[name]), fmean(theirs[name])) for name in ours}


def _as_json(campaign: Campaign, entry: Certification) -> dict[str, object]:
    task, earlier = campaign.task, len(campaign.lineage.certifications) - 1
    return {
        "schema": "espalier.certify/2",
        **entry.model_dump(mode="json", include={"number", "against", "gain", "p", "failure", "certified"}),
        "rule": task.certification.model_dump(),
        "p_needed": required_p(task, earlier),
        "n_seeds": len(entry.measurements[0].box_seeds),
        "means": _means(task, entry),
    }


def _format(campaign: Campaign, entry: Certification) -> list[str]:
    task, lineage = campaign.task, campaign.lineage
    rule, objective = task.certification, task.objective
    n_seeds = len(entry.measurements[0].box_seeds)
    lines = [f"trial     {entry.number:04d} against {entry.against:04d}, {n_seeds} fresh seeds each"]
    lines += [
        f"metric    {name} {ours:.6g} against {theirs:.6g}" + (", the objective" if name == objective.metric else "")
        for name, (ours, theirs) in _means(task, entry).items()
    ]
    scores = [lineage.trials[n].score for n in (entry.number, entry.against)]
    searched = objective.gain(scores[0] or 0.0, scores[1] or 0.0)
    gains = [f"{gain:.{objective.digits}f} {objective.unit}" for gain in (entry.gain, searched)]
    lines.append(f"gain      {gains[0]}" + ("" if None in scores else f"; the search had measured {gains[1]}"))
    earlier = len(lineage.certifications) - 1
    halved = f", {rule.p:g} halved for each of the {earlier} before" if earlier else ""
    below = f"p < {required_p(task, earlier):.3g}{halved}"
    lines.append(f"rule      a gain above {rule.gain:g} {objective.unit} with {below}: p is {entry.p:.2g}")
    if entry.failure:
        lines.append(f"gate      {entry.failure}; more --seeds make a bound tighter")
    lines.append(f"certified {'yes' if entry.certified else 'no'}")
    return lines
