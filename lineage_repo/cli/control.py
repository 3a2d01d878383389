"""The commands that steer a running loop: pause, resume, stop."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_lines
from lineage_repo.errors import CampaignError
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.control import Control


def _open(directory: Path) -> Control:
    if not CampaignPaths(directory).settings.is_file():
        raise CampaignError(f"{directory} is not a campaign; `espalier init {directory} --task NAME` makes one")
    return Control(directory)


@click.command()
@campaign_dir
def pause(directory: Path) -> None:
    """Start no new sessions; those that run go on to their end. Paused time counts against no cap."""
    control = _open(directory)
    control.pause(True)
    if control.alive:
        run = control.read()
        live = len(run.live) if run else 0
        print_lines(f"paused: no session starts, {live} go on to their end; `espalier resume {directory}` goes on")
    else:
        print_lines(f"no loop runs on {directory}: the next `espalier run` waits for `espalier resume {directory}`")


@click.command()
@campaign_dir
def resume(directory: Path) -> None:
    """Take a pause back. To continue a loop that has ended, give the same `espalier run` command again."""
    control = _open(directory)
    was_paused = control.paused
    control.pause(False)
    if not was_paused:
        print_lines(f"{directory} was not paused")
    elif control.alive:
        print_lines("resumed: the loop starts sessions again")
    else:
        print_lines(f"the pause is removed, but no loop runs on {directory}: `espalier run {directory}` starts one")


@click.command()
@campaign_dir
def stop(directory: Path) -> None:
    """End a running loop as SIGTERM does: its sessions are interrupted, its trials go on and are recorded.

    A second call cuts the sessions off. The same `espalier run` command continues the campaign later.
    """
    control = _open(directory)
    if not control.alive:
        raise CampaignError(f"no loop runs on {directory}: there is nothing to stop")
    control.stop()
    print_lines("stopping: sessions end within seconds, trials that run go on and are recorded")
