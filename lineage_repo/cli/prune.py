"""The command `prune`: logs and artifacts, which git does not hold, stay for the trials that matter."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_answer
from lineage_repo.model.paths import CampaignPaths, TrialPaths
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage import locks

KEEP_LAST = 20
_LOCK = TrialPaths(Path()).lock.name
_MEASUREMENT = re.compile(rf"({'|'.join(get_args(locks.ScratchKind))})-\w+", re.ASCII)
"""Folders of dry runs and calibrations: one that failed stays for its logs."""

Reason = Literal["keep", "last", "running", ""]
"""Why a folder stays; empty where it may go."""


class TrialFolder(NamedTuple):
    """What a trial, or a measurement that is not a trial, left beside the record."""

    trial: int | None
    folder: Path
    bytes: int
    kept_for: Reason


def list_trial_folders(lineage: Lineage, campaign: Path, last: int) -> list[TrialFolder]:
    """Return every trial's folder with its size and why it stays; folders of unknown origin stay too."""
    newest = set(sorted(lineage.trials)[-last:] if last else ())
    numbers = {f"{number:04d}": number for number in lineage.trials}
    paths, standing = CampaignPaths(campaign), lineage.standing
    proofs = {paths.proof(proof.proof).folder.name: proof.number for proof in lineage.proofs.values()}
    kept = {0, standing.anchor, *standing.steps} if standing else {0}
    return [
        TrialFolder(number, folder, sum(_sizes(folder)), _reason(folder, number, proofs.get(folder.name), kept, newest))
        for folder in sorted(paths.trials.glob("*"))
        if folder.is_dir() and not folder.is_symlink()
        for number in [numbers.get(folder.name)]
    ]


def _reason(folder: Path, number: int | None, proven: int | None, kept: set[int], newest: set[int]) -> Reason:
    """Return why a trial's folder stays, or that of an ended proof of the trial `proven`, or any other folder."""
    if locks.is_alive(folder):
        return "running"
    if number is None and proven is None:
        return "" if _MEASUREMENT.fullmatch(folder.name) else "running"
    if number in kept or proven in kept:
        return "keep"
    return "last" if number in newest else ""


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes of each file that would go: all but the lock, which shows that no runner lives.

    Links are not followed.
    """
    for path in folder.rglob("*"):
        if path != folder / _LOCK and not path.is_dir():
            yield path.lstat().st_size


def empty_folder(folder: Path) -> None:
    """Remove everything in a trial's folder except its lock."""
    for path in folder.iterdir():
        if path.name == _LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@click.command()
@campaign_dir
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@click.option(
    "--last", type=click.IntRange(0), default=KEEP_LAST, show_default=True, help="Number of newest trials to spare."
)
@json_option
def prune(directory: Path, dry_run: bool, last: int, as_json: bool) -> None:
    """Remove logs and sealed artifacts of DIR's trials, except of the start, anchor, head and the heads
    between them, the newest and running ones.

    The record, with every recipe, measurement and verdict, is in git and is never pruned; sessions stay too.
    """
    folders = list_trial_folders(open_lineage(directory), directory, last)
    pruned = [entry for entry in folders if not entry.kept_for and entry.bytes]
    if not dry_run:
        for entry in pruned:
            empty_folder(entry.folder)
    labels: dict[Reason, str] = {
        "keep": "start, anchor to head",
        "last": f"newest {last}",
        "running": "running or unrecorded",
    }
    kept_bytes = {reason: sum(entry.bytes for entry in folders if entry.kept_for == reason) for reason in labels}
    freed_bytes = sum(entry.bytes for entry in pruned)
    answer = {
        "dry_run": dry_run,
        "kept_bytes": kept_bytes,
        "freed_bytes": freed_bytes,
        "trials": [entry.trial for entry in pruned if entry.trial is not None],
        "others": [entry.folder.name for entry in pruned if entry.trial is None],
    }
    freed_text = f"logs and artifacts in {len(pruned)} folders; the record is whole"
    rows = [("kept", f"{kept_bytes[reason] / 1e6:10.2f} MB   {label}") for reason, label in labels.items()]
    rows.append(("would free" if dry_run else "freed", f"{freed_bytes / 1e6:10.2f} MB   {freed_text}"))
    print_answer(as_json, "prune", answer, rows)
