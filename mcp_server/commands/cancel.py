"""`espalier cancel`: end a running trial."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_lines
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks


@click.command()
@campaign_dir
@click.argument("trial", type=click.IntRange(1))
def cancel(directory: Path, trial: int) -> None:
    """End running TRIAL: its boxes die, and it is recorded as harness_abort."""
    campaign = Campaign.open(directory)
    running = {started.number for started in campaign.lineage.refresh().running()}
    if trial not in running:
        known = ", ".join(f"{number:04d}" for number in sorted(running)) or "none"
        raise click.ClickException(f"trial {trial:04d} is not running; running: {known}")
    paths = campaign.paths.trial(trial)
    if locks.is_alive(paths.folder):
        paths.cancel.touch()
        print_lines(
            f"trial {trial:04d} is being cancelled; `espalier show {directory} {trial}` says when it is recorded"
        )
    else:
        campaign.recover()
        print_lines(f"trial {trial:04d} no longer had a runner; it is recorded as harness_abort")
