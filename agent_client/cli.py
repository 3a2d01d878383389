"""The command `run`: the only place of the client that reads the environment."""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path

import click

from agent_client.loop import forecast
from agent_client.loop.campaign_loop import Run
from agent_client.loop.notify import Notifier
from agent_client.loop.plan import HOURS, NO_IMPROVEMENT_HOURS, Plan
from agent_client.loop.state import RunSummary
from agent_client.session import endpoint
from agent_client.session.claude_options import SHELL_TOOLS, WEB_TOOLS, Access
from agent_client.session.endpoint import select
from agent_client.session.shell_guard import ShellGuard
from agent_client.standin import server
from lineage_repo.cli.output import print_json, print_lines, print_progress
from lineage_repo.errors import CampaignError
from lineage_repo.model.manifest import Objective
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.control import Control
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.text.redact import Redactor

_KEPT = ("PATH", "LANG", "LANGUAGE", "LC_", "TMPDIR", "TZ")
"""What every process of ours may see."""
_USER = (*_KEPT, "HOME", "USER", "LOGNAME", "XDG_", "DBUS_SESSION_BUS_ADDRESS")
"""What the operator's own command sees."""
_SERVER = (*_USER, "ESPALIER_", "CUDA_", "NVIDIA_", "LD_LIBRARY_PATH")
"""What our server sees: it starts the boxes, and finds the host's slots and caches."""
_MORE = click.FloatRange(min=0, min_open=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    help="Model of every specialist, or `standin`: a plain search, no key, no network. Default: the manifest's.",
)
@click.option("--base-url", metavar="URL", help="Another endpoint that speaks the Messages protocol.")
@click.option(
    "--trials",
    type=click.IntRange(1),
    help="Trials that the campaign is to have; the same command resumes. Default: as many as the caps allow.",
)
@click.option(
    "--hours", type=_MORE, default=HOURS, show_default=True, help="Most hours on this campaign, earlier runs included."
)
@click.option(
    "--no-improvement-hours",
    type=_MORE,
    default=NO_IMPROVEMENT_HOURS,
    show_default=True,
    help="Most of these hours since the last keep.",
)
@click.option("--usd", type=_MORE, help="Most that all sessions of the campaign may cost, earlier runs included.")
@click.option("--specialists", metavar="A,B", default="", help="Only these roles. Default: all of the campaign.")
@click.option("--concurrency", type=click.IntRange(1), help="Sessions at once. Default: one per specialist.")
@click.option("--submits", type=click.IntRange(1), help="Most trials per session. Default: the campaign's cap.")
@click.option("--allow-bash", is_flag=True, help="Give agents a shell, each command of it in a box without network.")
@click.option("--allow-web", is_flag=True, help="Give agents web search and web pages.")
@click.option(
    "--notify",
    metavar="CMD",
    help="Run CMD on every keep, on alarms and at the end, facts in ESPALIER_EVENT, ESPALIER_TRIAL, ESPALIER_TEXT, ...",
)
@click.option("--dry-run", is_flag=True, help="Say what it would take and cost, start nothing, exit 0.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def run(
    folder: Path,
    model: str | None,
    base_url: str | None,
    trials: int | None,
    hours: float,
    no_improvement_hours: float,
    usd: float | None,
    specialists: str,
    concurrency: int | None,
    submits: int | None,
    allow_bash: bool,
    allow_web: bool,
    notify: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run specialist sessions until a goal or a cap of the campaign is reached.

    Hours and hours without a keep are capped always. Exits 0 at the goal, a cap or `espalier stop`; 1 where nobody got
    further; 130 or 143 after a signal. `espalier pause|resume|stop DIR` steer a running loop.
    """
    environment = dict(os.environ)
    campaign = _open(folder)
    models = _models(campaign, [name.strip() for name in specialists.split(",") if name.strip()], model)
    for name in models:
        system_prompt(campaign, name)
    plan = Plan(
        models=models,
        trials=trials,
        hours=hours,
        no_improvement_hours=no_improvement_hours,
        usd=usd,
        concurrency=concurrency or len(models),
        submits=submits,
        extras=(*(SHELL_TOOLS if allow_bash else ()), *(WEB_TOOLS if allow_web else ())),
    )
    plays = server.MODEL in models.values()
    if dry_run:
        found = forecast.forecast(campaign, plan, environment, print_progress, free=plays)
        return print_json(found.model_dump(mode="json")) if as_json else print_lines(*forecast.text(found).splitlines())
    if plays and base_url:
        raise CampaignError("the stand-in brings its own endpoint: leave --base-url out, or name another --model")
    found = {} if plays else endpoint.variables(environment, base_url)
    if not plays:
        endpoint.check(models.values(), found)
    redact = Redactor.from_environment(environment | found)
    access = Access(model=found, server=select(environment, _SERVER), redact=redact)
    if allow_bash:
        asyncio.run(ShellGuard(campaign, next(iter(models)), access.server).check())
    held = Control(campaign.folder).claim()
    os.environ.clear()  # the SDK hands all of it to Claude Code
    os.environ.update(select(environment, _KEPT))
    try:
        report, signalled = asyncio.run(_run(campaign, plan, access, notify, select(environment, _USER)))
    finally:
        locks.release(held)
    if as_json:
        print_json(redact.redact_data(report.model_dump(mode="json")))
    else:
        print_lines(*redact(_summary(report, campaign.task.objective, folder)).splitlines())
    if signalled:
        raise click.exceptions.Exit(128 + signalled)
    if report.reason.failed:
        raise click.exceptions.Exit(1)
    return None


async def _run(
    campaign: Campaign, plan: Plan, access: Access, notify: str | None, user: Mapping[str, str]
) -> tuple[RunSummary, int]:
    """Hold the run, with the stand-in's endpoint where one is asked for; return the signal that ended it, or 0."""
    with contextlib.ExitStack() as stack:
        if server.MODEL in plan.models.values():
            url = stack.enter_context(server.serving())
            model = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": server.MODEL, "NO_PROXY": "127.0.0.1"}
            access = access.model_copy(update={"model": model})

        def say(line: str) -> None:
            print_progress(access.redact(line))

        facts = {"ESPALIER_CAMPAIGN": str(campaign.folder)}
        job = Run(campaign, access, plan, say, Notifier(notify, {**user, **facts}, say))
        received: list[int] = []

        def on_signal(number: int) -> None:
            received.append(number)
            job.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
        return await job.run(), received[0] if received else 0


def _open(folder: Path) -> Campaign:
    campaign = Campaign.open(folder)
    campaign.check_digests()
    if 0 not in campaign.lineage.refresh().trials:
        raise CampaignError(f"{folder} has no baseline to improve on: `espalier calibrate {folder}` measures it")
    return campaign


def _models(campaign: Campaign, asked: list[str], model: str | None) -> dict[str, str]:
    """The model of every specialist that is to work."""
    known = campaign.settings.specialists
    if unknown := [name for name in asked if name not in known]:
        raise CampaignError(f"this campaign has no specialist {', '.join(unknown)}; it has {', '.join(known)}")
    models: dict[str, str] = {}
    for name in asked or known:
        chosen = model or campaign.roster[name].model
        if chosen is None:
            raise CampaignError(
                f"{name} has no model in the manifest: give --model NAME, or --model standin for the plain search"
            )
        models[name] = chosen
    if server.MODEL in models.values() and len(set(models.values())) > 1:
        raise CampaignError("the stand-in and a real model can't share a run: give --model, or choose --specialists")
    return models


def _summary(report: RunSummary, objective: Objective, folder: Path) -> str:
    best = (
        "no best"
        if report.best_trial is None
        else f"best {objective.text(report.best)} (trial {report.best_trial:04d})"
    )
    spent = f"{report.sessions} sessions of this run" + (f", {report.cost_usd:.2f} USD" if report.cost_usd else "")
    return "\n".join(
        [
            f"{report.reason}: {report.detail}",
            f"{report.recorded} trials recorded, {spent}; baseline {objective.text(report.baseline)}, {best}",
            f"campaign  {report.campaign_hours:.2f} hours, {report.campaign_usd:.2f} USD in all",
            f"next: espalier log {shlex.quote(str(folder))}",
            f"      git -C {shlex.quote(str(CampaignPaths(folder).repository))} log --graph best",
        ]
    )
