"""The reading commands, and `init`: everything that needs no server and no agent."""

import shlex
import sys
from pathlib import Path
from typing import get_args

import click

from lineage_repo.analysis.facts import collect_values
from lineage_repo.cli.options import campaign_dir, json_option, trial_argument
from lineage_repo.cli.output import print_json, print_lines, print_text
from lineage_repo.model.ledger import Arm, Caps, Trial
from lineage_repo.model.manifest import Objective, Task
from lineage_repo.model.measurement import LEVELS, Isolation
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.model.roster import arm_text
from lineage_repo.prompting.queries import margin_text
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import find_store, open_lineage
from lineage_repo.storage import snapshot
from lineage_repo.storage.message import heading
from lineage_repo.task.find import find_task
from lineage_repo.verification.verify import verify

_ARMS = "roles: the task's specialists; generic: equal agents without a role; single: one agent."


@click.command()
@campaign_dir
@click.option("--task", "name", required=True, help="A built-in task's name, or the path of a task folder.")
@click.option("--seeds", type=click.IntRange(1, 64), default=None, help="Seeds per trial.  [the manifest's]")
@click.option("--arm", type=click.Choice(get_args(Arm)), default="roles", show_default=True, help=_ARMS)
@click.option(
    "--agents", type=click.IntRange(1, 64), default=None, help="Equal agents of --arm generic.  [as many as roles]"
)
@click.option("--no-lineage", is_flag=True, help="Agents see their own trials and the best's recipe, not the record.")
@click.option("--specialists", default="", help="Comma-separated subset of the task's roles.")
@click.option(
    "--submits", type=click.IntRange(1), default=Caps().submits, show_default=True, help="Trials per session."
)
@click.option(
    "--isolation",
    type=click.Choice(LEVELS),
    default="bwrap",
    show_default=True,
    help="Least that must hold a recipe: bwrap = walls, bwrap+cgroup = also limits that the kernel counts, "
    "none = nothing, for recipes that you trust as yourself.",
)
def init(
    directory: Path,
    name: str,
    seeds: int | None,
    arm: Arm,
    agents: int | None,
    no_lineage: bool,
    specialists: str,
    submits: int,
    isolation: Isolation,
) -> None:
    """Make a campaign in DIR for a task. Everything that bears on scores is frozen from here on."""
    chosen = tuple(s.strip() for s in specialists.split(",") if s.strip())
    campaign = Campaign.create(
        directory,
        find_task(name),
        n_seeds=seeds,
        arm=arm,
        specialists=chosen,
        agents=agents,
        read_record=not no_lineage,
        caps=Caps(submits=submits),
        isolation=isolation,
    )
    task = campaign.task
    print_lines(f"campaign  {directory}: {task.title}")
    print_lines(
        f"objective {task.objective.metric} in {task.objective.unit}, {task.objective.direction} is better, "
        f"{task.n_seeds} seeds a trial"
    )
    print_lines(f"arm       {arm_text(arm, read_record=not no_lineage)}: {', '.join(campaign.roster)}")
    if isolation == "none":
        print_lines("isolation none: recipes can forge scores and read all that you can; every trial says so")
    print_lines(f"next      espalier calibrate {shlex.quote(str(directory))}")


@click.command()
@campaign_dir
@trial_argument("trial")
@json_option
def show(directory: Path, trial: int, as_json: bool) -> None:
    """Show one trial: what was claimed, what was measured, how it was judged."""
    lineage = open_lineage(directory)
    found = lineage.trial(trial)
    if as_json:
        return print_json(found.model_dump(mode="json", exclude_none=True))
    proposal, outcome, objective = found.proposal, found.verdict, lineage.task.objective
    papers = CampaignPaths(directory).session(proposal.session).folder
    rows = [
        ("trial", f"{found.number:04d}  {outcome.status}  {objective.text(outcome.score)}"),
        ("title", heading(proposal)),
        ("hypothesis", proposal.hypothesis),
        ("notes", proposal.notes),
        ("parent", "none" if proposal.parent is None else f"{proposal.parent:04d}"),
        ("expected", _expected(found, objective)),
        (
            "measured",
            ""
            if outcome.delta_vs_parent is None
            else f"{outcome.delta_vs_parent:+.{objective.digits}f} {objective.unit} against the parent",
        ),
        (
            "vs best",
            ""
            if found.incumbent is None or outcome.delta_vs_best is None
            else f"{outcome.delta_vs_best:+.{objective.digits}f} against #{found.incumbent.number:04d}; "
            + ("by its origin" if outcome.threshold is None else f"a keep needed {outcome.threshold:.3g}"),
        ),
        ("failure", outcome.failure or ""),
        ("session", proposal.specialist + ("" if found.lacks("session") else f" / {proposal.session}")),
        ("papers", str(papers) if papers.is_dir() else ""),
        ("recorded", _recorded(found)),
        *_origin(found),
        ("means", _means(lineage.task, found)),
        ("host", _host(lineage, found)),
        ("isolation", ", ".join(f"{k} {v}" for k, v in found.isolation.items())),
        ("commit", lineage.commits[trial]),
    ]
    for name, text in rows:
        if text:
            print_lines(f"{name:10} {text}")
    for notice in found.notices:
        print_lines(f"{'notice':10} {notice}")
    for margin in outcome.margins:
        print_lines(f"{'margin':10} {margin_text(lineage.task, margin)}")
    for entry in (e for e in lineage.certifications if trial in {e.number, e.against}):
        said = "certified" if entry.certified else "not certified"
        pair = f"{entry.number:04d} against {entry.against:04d}"
        print_lines(
            f"{'again':10} {pair}: {said}, gain {entry.gain:.{objective.digits}f} {objective.unit}, p {entry.p:.2g}"
        )
    return None


def _means(task: Task, trial: Trial) -> str:
    """Every metric's mean over the seeds; nothing where they were not all measured."""
    if trial.measurement is None or trial.fault:
        return ""
    found = collect_values(task, trial).items()
    return ", ".join(f"{name} {mean:.6g}" for name, mean in found) + f" over {trial.n_seeds} seeds"


def _host(lineage: Lineage, trial: Trial) -> str:
    """How disturbed the host was; nothing for a trial that nobody looked at."""
    slowdown = lineage.host_slowdown(trial.measurement) if trial.measurement else None
    if slowdown is None:
        return ""
    text = f"{abs(slowdown):.0%} {'slower' if slowdown >= 0 else 'faster'} than at calibration"
    return text + (", more than the task allows" if slowdown > lineage.task.disturbance.above else "")


def _expected(trial: Trial, objective: Objective) -> str:
    if trial.lacks("expected_delta"):
        return ""
    return f"{trial.proposal.expected_delta:+.{objective.digits}f} {objective.unit} against the parent"


def _recorded(trial: Trial) -> str:
    when = f"{trial.at:%F %T} UTC"
    return (
        when
        if trial.imported
        else f"{when}, {(trial.at - trial.registered_at).total_seconds():.1f} s after it was registered"
    )


def _origin(trial: Trial) -> list[tuple[str, str]]:
    """What an imported trial was there, what it lacks, and what the import changed."""
    origin = trial.imported
    if origin is None:
        return []
    values = ", ".join(f"{name} {value:.10g}" for name, value in origin.values.items())
    return [
        ("origin", f"imported, there {origin.id}; missing: {', '.join(origin.missing) or 'nothing'}"),
        ("values", values),
        *(("repaired", line) for line in origin.repairs),
    ]


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
    """Print what TRIAL's boxes wrote, control characters made visible."""
    lineage = open_lineage(directory)
    if trial not in lineage.registered:  # one that still runs has logs too
        lineage.trial(trial)
    paths = CampaignPaths(directory).trial(trial)
    found = (
        [path for job in paths.jobs for path in sorted(job.box_logs.glob("*.log"))]
        + [job.log for job in paths.jobs]
        + [paths.log]
    )
    shown = [path for path in found if path.is_file() and path.stat().st_size]
    for path in shown:
        print_lines(f"== {path.relative_to(paths.folder)}")
        text = path.read_bytes().decode("utf-8", "replace")
        print_text(text if text.endswith("\n") else f"{text}\n")
    if not shown:
        print_lines(
            f"trial {trial:04d} left no log: its boxes wrote nothing, it was pruned, or only the record was cloned",
            err=True,
        )


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


@click.command("verify")
@campaign_dir
@json_option
@click.option("--quick", is_flag=True, help="Check connectivity instead of every object.")
def verify_command(directory: Path, as_json: bool, quick: bool) -> None:
    """Check a campaign's lineage, or any clone of it, and replay every verdict; exits 1 and names what is wrong."""
    report = verify(find_store(directory), full=not quick)
    if as_json:
        print_json({"schema": "espalier.verify/1", **report.model_dump(mode="json")})
    else:
        for problem in report.problems:
            print_lines(f"WRONG  {problem}")
        print_lines(
            f"ledger entries {report.entries}, trials with the start {report.trials}, keeps {report.keeps}, "
            f"unfinished {len(report.unfinished)}"
        )
        print_lines(f"tip {report.tip}")
        print_lines(
            f"problems: {len(report.problems)}"
            if report.problems
            else f"ok: {'every trial says what was imported' if report.imported else 'every verdict replays'}; "
            "note the tip elsewhere to detect rewriting"
        )
    sys.exit(1 if report.problems else 0)
