"""The commands on what a trial consists of: diff, logs, checkout."""

from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, trial_argument
from lineage_repo.cli.output import print_lines, print_text
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage import snapshot


@click.command()
@campaign_dir
@trial_argument("a")
@trial_argument("b")
def diff(directory: Path, a: int, b: int) -> None:
    """Show how trial B's recipe differs from trial A's."""
    lineage = open_lineage(directory)
    before, after = lineage.recipe_tree(a), lineage.recipe_tree(b)
    print_text(lineage.store.diff(before, after) or f"trials {a:04d} and {b:04d} have the same recipe\n")


@click.command()
@campaign_dir
@trial_argument("trial")
def logs(directory: Path, trial: int) -> None:
    """Print what TRIAL's boxes wrote, with control characters made visible."""
    lineage = open_lineage(directory)
    if trial not in lineage.registered:  # a trial that still runs has logs too
        lineage.trial(trial)
    paths = CampaignPaths(directory).trial(trial)
    candidates = [*paths.box_logs, *(job.log for job in paths.jobs), paths.log]
    written = [path for path in candidates if path.is_file() and path.stat().st_size]
    for path in written:
        print_lines(f"== {path.relative_to(paths.folder)}")
        text = path.read_bytes().decode("utf-8", "replace")
        print_text(text if text.endswith("\n") else f"{text}\n")
    if not written:
        reasons = "its boxes wrote nothing, it was pruned, or only the record was cloned"
        print_lines(f"trial {trial:04d} left no log: {reasons}", err=True)


@click.command()
@campaign_dir
@trial_argument("trial")
@click.argument("out", type=click.Path(path_type=Path))
def checkout(directory: Path, trial: int, out: Path) -> None:
    """Write TRIAL's recipe to the new folder OUT."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.ClickException(f"{out} is there already: name a new folder")
    lineage = open_lineage(directory)
    lineage.trial(trial)
    snapshot.write_folder(lineage.read_recipe(trial), out)
    print_lines(f"{out}: the recipe of trial {trial:04d}")
