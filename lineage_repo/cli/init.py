"""The command `init`."""

import shlex
from pathlib import Path
from typing import Literal, get_args

import click

from lineage_repo.cli.options import campaign_dir
from lineage_repo.cli.output import print_rows
from lineage_repo.model.ledger import Arm, Caps
from lineage_repo.model.measurement import LEVELS, Isolation
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.cost import estimate_cost
from lineage_repo.task.find import find_task
from lineage_repo.text.phrases import arm_text

_ARM_HELP = (
    "How the search is organised. roles: the task's specialists; generic: equal agents without a role; "
    "single: one agent."
)
_RULE_HELP = (
    "How gains are judged. paired: screens, blocks and replications; any: a higher mean is a keep, untested, as in the "
    "paper.  [default: the manifest's]"
)
_ISOLATION_HELP = (
    "The least isolation under which recipes run here. bwrap: a sandbox around each box; bwrap+cgroup: also limits "
    "that the kernel enforces; none: no sandbox, only for recipes that you trust as you trust yourself."
)


@click.command()
@campaign_dir
@click.option("--task", "name", required=True, help="Name of a built-in task, or path of a task folder.")
@click.option(
    "--seeds", type=click.IntRange(1, 64), default=None, help="Seeds per calibration.  [default: the manifest's]"
)
@click.option("--rule", type=click.Choice(["paired", "any"]), default=None, help=_RULE_HELP)
@click.option("--arm", type=click.Choice(get_args(Arm)), default="roles", show_default=True, help=_ARM_HELP)
@click.option(
    "--agents",
    type=click.IntRange(1, 64),
    default=None,
    help="Number of equal agents with --arm generic.  [default: as many as the task has roles]",
)
@click.option(
    "--no-lineage", is_flag=True, help="Agents see only their own trials and the best recipe, not the whole record."
)
@click.option("--specialists", default="", help="Comma-separated subset of the task's roles.  [default: all]")
@click.option(
    "--submits", type=click.IntRange(1), default=Caps().submits, show_default=True, help="Most trials per session."
)
@click.option("--isolation", type=click.Choice(LEVELS), default="bwrap", show_default=True, help=_ISOLATION_HELP)
def init(
    directory: Path,
    name: str,
    seeds: int | None,
    rule: Literal["paired", "any"] | None,
    arm: Arm,
    agents: int | None,
    no_lineage: bool,
    specialists: str,
    submits: int,
    isolation: Isolation,
) -> None:
    """Make a campaign in DIR for a task. Everything that affects scores is frozen from here on."""
    campaign = Campaign.create(
        directory,
        find_task(name),
        n_seeds=seeds,
        rule=rule,
        arm=arm,
        specialists=tuple(part.strip() for part in specialists.split(",") if part.strip()),
        agents=agents,
        read_record=not no_lineage,
        caps=Caps(submits=submits),
        isolation=isolation,
    )
    task, objective = campaign.task, campaign.task.objective
    scoring = f"{objective.metric} in {objective.unit}, {objective.direction} is better"
    cost = estimate_cost(task)
    price = f"{cost.null_trial:.1f} seeds for a trial that gains nothing, {cost.keep} for a keep"
    if task.judge.rule == "any":
        price = f"{task.n_seeds} seeds a trial, and any better mean is a keep, untested, as in the paper"
    warning = "none: recipes can forge scores and read everything that you can; every trial says so"
    print_rows(
        [
            ("campaign", f"{directory}: {task.title}"),
            ("objective", scoring),
            ("judge", price),
            ("arm", f"{arm_text(arm, read_record=not no_lineage)}: {', '.join(campaign.roster)}"),
            ("isolation", warning if isolation == "none" else ""),
            ("next", f"espalier calibrate {shlex.quote(str(directory))}"),
        ]
    )
