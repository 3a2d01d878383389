"""The command `espalier run`, the only module of the client that reads the environment."""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
from collections.abc import Generator, Mapping
from pathlib import Path

import click

from agent_client.loop.campaign_loop import Run
from agent_client.loop.forecast import format_forecast, make_forecast
from agent_client.loop.notify import Notifier
from agent_client.loop.plan import HOURS, NO_IMPROVEMENT_HOURS, Plan
from agent_client.loop.state import RunSummary
from agent_client.session import endpoint
from agent_client.session.claude_options import SHELL_TOOLS, WEB_TOOLS, Access
from agent_client.session.endpoint import select
from agent_client.session.shell_guard import ShellGuard
from agent_client.standin import server
from lineage_repo.cli.output import ProgressPrinter, print_json, print_lines, print_progress
from lineage_repo.errors import CampaignError
from lineage_repo.model.objective import Objective
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.control import Control
from lineage_repo.progress import progress_to
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.text.redact import Redactor

_SHARED = ("PATH", "LANG", "LANGUAGE", "LC_", "TMPDIR", "TZ")
"""Variables that every process of ours may see."""
_USER = (*_SHARED, "HOME", "USER", "LOGNAME", "XDG_", "DBUS_SESSION_BUS_ADDRESS")
"""Variables that the operator's own command sees."""
_SERVER = (*_USER, "ESPALIER_", "CUDA_", "NVIDIA_", "LD_LIBRARY_PATH")
"""Variables that our server sees: it starts the boxes, and finds the host's slots and caches."""
_POSITIVE = click.FloatRange(min=0, min_open=True)


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
    help="Trials that the campaign should have; the same command resumes. Default: as many as the caps allow.",
)
@click.option(
    "--hours",
    type=_POSITIVE,
    default=HOURS,
    show_default=True,
    help="Most hours on this campaign, earlier runs included.",
)
@click.option(
    "--no-improvement-hours",
    type=_POSITIVE,
    default=NO_IMPROVEMENT_HOURS,
    show_default=True,
    help="Most of these hours since the last keep.",
)
@click.option("--usd", type=_POSITIVE, help="Most that all sessions of the campaign may cost, earlier runs included.")
@click.option("--specialists", metavar="A,B", default="", help="Only these roles. Default: all of the campaign.")
@click.option("--concurrency", type=click.IntRange(1), help="Sessions at once. Default: one per specialist.")
@click.option("--submits", type=click.IntRange(1), help="Most trials per session. Default: the campaign's cap.")
@click.option("--allow-bash", is_flag=True, help="Give agents a shell; each command runs in a box without network.")
@click.option("--allow-web", is_flag=True, help="Give agents web search and web pages.")
@click.option(
    "--notify",
    metavar="CMD",
    help="Run CMD on keeps, on alarms and at the end, with facts in ESPALIER_EVENT, ESPALIER_TRIAL, ESPALIER_TEXT, ...",
)
@click.option("--dry-run", is_flag=True, help="Print what the run would take and cost; start nothing and exit 0.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
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

    Hours and hours without a keep are always capped. Exits 0 at the goal, a cap or `espalier stop`; 1 if no specialist
    gets any further; 130 or 143 after a signal. `espalier pause|resume|stop DIR` steer a running loop.
    """
    environment = dict(os.environ)
    campaign = _open(folder)
    models = _choose_models(campaign, [name.strip() for name in specialists.split(",") if name.strip()], model)
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
    if dry_run:
        return _print_forecast(campaign, plan, environment, as_json=as_json)
    access = _make_access(plan, environment, base_url)
    if allow_bash:
        asyncio.run(ShellGuard(campaign, next(iter(models)), access.server).check())
    lock = Control(campaign.folder).claim()
    os.environ.clear()  # the SDK hands all of it to Claude Code
    os.environ.update(select(environment, _SHARED))
    user = select(environment, _USER) | {"ESPALIER_CAMPAIGN": str(campaign.folder)}
    try:
        with _show_messages(access.redact):
            summary, received = asyncio.run(_run(campaign, plan, access, Notifier(notify, user)))
    finally:
        locks.release(lock)
    if as_json:
        print_json(access.redact.redact_data(summary.model_dump(mode="json")))
    else:
        print_lines(*access.redact(_format_summary(summary, campaign.task.objective, folder)).splitlines())
    if received:
        raise click.exceptions.Exit(128 + received)
    if summary.reason.failed:
        raise click.exceptions.Exit(1)
    return None


async def _run(campaign: Campaign, plan: Plan, access: Access, notify: Notifier) -> tuple[RunSummary, int]:
    """Run the loop, with the stand-in's endpoint if asked for; return the signal that ended it, or 0."""
    with contextlib.ExitStack() as stack:
        if server.MODEL in plan.models.values():
            url = stack.enter_context(server.serve())
            model = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": server.MODEL, "NO_PROXY": "127.0.0.1"}
            access = access.model_copy(update={"model": model})
        run = Run(campaign, access, plan, notify)
        received: list[int] = []

        def on_signal(number: int) -> None:
            received.append(number)
            run.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
        return await run.run(), received[0] if received else 0


class _Warnings(logging.Handler):
    """Prints the warnings of a run beside its progress."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__(logging.WARNING)
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        print_progress(self._redact(record.getMessage()))


@contextlib.contextmanager
def _show_messages(redact: Redactor) -> Generator[None]:
    """Print progress and warnings to standard error while the block runs, without credentials."""
    logger, handler = logging.getLogger("espalier.run"), _Warnings(redact)
    logger.addHandler(handler)
    try:
        printer = ProgressPrinter()
        with progress_to(
            lambda line: printer.print_line(redact(line)), lambda line: printer.print_detail(redact(line))
        ):
            yield
        printer.clear()
    finally:
        logger.removeHandler(handler)


def _print_forecast(campaign: Campaign, plan: Plan, environment: Mapping[str, str], *, as_json: bool) -> None:
    with _show_messages(Redactor.from_environment(environment)):
        forecast = make_forecast(campaign, plan, environment, free=server.MODEL in plan.models.values())
    if as_json:
        print_json(forecast.model_dump(mode="json"))
    else:
        print_lines(*format_forecast(forecast).splitlines())


def _make_access(plan: Plan, environment: Mapping[str, str], base_url: str | None) -> Access:
    """Choose the variables of each process, and ask the endpoint for the models; the stand-in gets none of them."""
    variables: dict[str, str] = {}
    if server.MODEL not in plan.models.values():
        variables = endpoint.select_variables(environment, base_url)
        endpoint.check(plan.models.values(), variables)
    elif base_url:
        raise CampaignError("the stand-in brings its own endpoint: leave --base-url out, or name another --model")
    return Access(
        model=variables,
        server=select(environment, _SERVER),
        redact=Redactor.from_environment({**environment, **variables}),
    )


def _open(folder: Path) -> Campaign:
    campaign = Campaign.open(folder)
    campaign.check_digests()
    if 0 not in campaign.lineage.refresh().trials:
        raise CampaignError(f"{folder} has no baseline to improve on: `espalier calibrate {folder}` measures it")
    return campaign


def _choose_models(campaign: Campaign, asked: list[str], model: str | None) -> dict[str, str]:
    """Choose the model of each specialist of this run."""
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


def _format_summary(summary: RunSummary, objective: Objective, folder: Path) -> str:
    spent = f"{summary.sessions} sessions of this run" + (f", {summary.cost_usd:.2f} USD" if summary.cost_usd else "")
    return "\n".join(
        [
            f"{summary.reason}: {summary.detail}",
            f"{summary.recorded} trials recorded, {spent}; baseline {objective.text(summary.baseline)}",
            f"campaign  {summary.campaign_hours:.2f} hours, {summary.campaign_usd:.2f} USD in all",
            f"next      espalier log {shlex.quote(str(folder))}",
            f"          git -C {shlex.quote(str(CampaignPaths(folder).repository))} log --graph best",
            f"proven    {_describe_proven(summary, objective)}",
        ]
    )


def _describe_proven(summary: RunSummary, objective: Objective) -> str:
    """Say what was gained, with its interval, and what is observed only; or that nothing was, and why."""
    observed = ""
    if summary.head != summary.anchor and summary.head_gain:
        observed = f"; {summary.head:04d} is observed only, {objective.gain_text(summary.head_gain)}"
    if summary.anchor and summary.anchor_gain:
        gain = objective.gain_text(summary.anchor_gain)
        added = f", added up from {summary.anchor_steps} proofs: `espalier certify` measures it at once"
        how = added if summary.anchor_steps > 1 else ""
        return f"trial {summary.anchor:04d} gains {gain} (95 %) over the start{how}{observed}"
    seen = f"a trial finds {summary.smallest_gain:.3g} {objective.unit} in 80 % of cases, smaller gains seldom"
    return f"nothing{observed or f': no trial beat the start clearly; {seen}'}"
