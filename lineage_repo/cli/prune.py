"""Retention: what git does not hold, logs and artifacts, stays for the trials that matter."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import CampaignPaths, TrialPaths
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage import locks

KEEP_LAST = 20
_LOCK = TrialPaths(Path()).lock.name


_MEASURED = re.compile(rf"({'|'.join(get_args(locks.ScratchKind))})-\w+", re.ASCII)
"""Folders of dry runs, calibrations and certifications: what stays of one are the logs of a failure."""


class TrialFolder(NamedTuple):
    """What one trial left beside the record, or a measurement that is no trial."""

    trial: int | None
    folder: Path
    bytes: int
    kept_for: str
    """`keep`, `last`, `running`, or empty where it may go."""


def trial_folders(lineage: Lineage, campaign: Path, last: int) -> list[TrialFolder]:
    """Every trial's folder with its size and why it stays; folders that nobody accounts for stay too."""
    recent = set(sorted(lineage.trials)[-last:] if last else ())
    found: list[TrialFolder] = []
    names = {f"{number:04d}": number for number in lineage.trials}
    for folder in sorted(CampaignPaths(campaign).trials.glob("*")):
        if folder.is_symlink() or not folder.is_dir():
            continue
        number = names.get(folder.name)
        if locks.is_alive(folder):
            reason = "running"
        elif number is None:
            reason = "" if _MEASURED.fullmatch(folder.name) else "running"
        elif lineage.trials[number].status in {Status.KEEP, Status.BASELINE}:
            reason = "keep"
        else:
            reason = "last" if number in recent else ""
        found.append(TrialFolder(number, folder, sum(_sizes(folder)), reason))
    return found


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes of what would go: all but the lock, which tells that no runner lives. Links are not followed."""
    for path in folder.rglob("*"):
        if path != folder / _LOCK and not path.is_dir():
            yield path.lstat().st_size


def clear(folder: Path) -> None:
    """Empty a trial's folder but for its lock."""
    for path in folder.iterdir():
        if path.name == _LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@click.command()
@campaign_dir
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option(
    "--last", type=click.IntRange(0), default=KEEP_LAST, show_default=True, help="Newest trials that keep theirs."
)
@json_option
def prune(directory: Path, dry_run: bool, last: int, as_json: bool) -> None:
    """Remove logs and sealed artifacts of DIR's trials, but of the start, keeps, the newest and running ones.

    The record, every recipe, measurement and verdict, is git's and is never pruned; sessions stay too.
    """
    found = trial_folders(open_lineage(directory), directory, last)
    gone = [one for one in found if not one.kept_for and one.bytes]
    if not dry_run:
        for one in gone:
            clear(one.folder)
    sizes = {why: sum(one.bytes for one in found if one.kept_for == why) for why in ("keep", "last", "running")}
    freed = sum(one.bytes for one in gone)
    if as_json:
        whole = {"schema": "espalier.prune/1", "dry_run": dry_run, "kept_bytes": sizes, "freed_bytes": freed}
        trials = [one.trial for one in gone if one.trial is not None]
        return print_json(whole | {"trials": trials, "others": [one.folder.name for one in gone if one.trial is None]})
    for why, text in (("keep", "start and keeps"), ("last", f"newest {last}"), ("running", "running or unrecorded")):
        print_lines(f"kept      {sizes[why] / 1e6:10.2f} MB   {text}")
    verb = "would free" if dry_run else "freed"
    return print_lines(
        f"{verb:10}{freed / 1e6:10.2f} MB   logs and artifacts in {len(gone)} folders; the record is whole"
    )
