"""`espalier cancel`: end a running trial."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_lines
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks


@click.command()
@campaign_dir
@click.argument("trial", type=click.IntRange(1), required=False)
@click.option("--proof", type=click.IntRange(1), help="A replication or certification instead of a trial.")
def cancel(directory: Path, trial: int | None, proof: int | None) -> None:
    """End running TRIAL, or a proof: its boxes die, and it is recorded as harness_abort or aborted."""
    campaign = Campaign.open(directory)
    lineage = campaign.lineage.refresh()
    if (trial is None) == (proof is None):
        raise click.UsageError("name either a TRIAL or --proof N")
    if trial is not None:
        running = {started.number for started in lineage.running()}
        name, paths = f"trial {trial:04d}", campaign.paths.trial(trial)
    else:
        running = {started.proof for started in [lineage.running_proof()] if started}
        name, paths = f"proof {proof}", campaign.paths.proof(proof or 0)
    if (trial or proof) not in running:
        known = ", ".join(str(number) for number in sorted(running)) or "none"
        raise click.ClickException(f"{name} is not running; running: {known}")
    if locks.is_alive(paths.folder):
        paths.cancel.touch()
        print_lines(f"{name} is being cancelled; `espalier log {directory}` says when it is recorded")
    else:
        campaign.recover()
        print_lines(f"{name} no longer had a runner; its end is recorded")
