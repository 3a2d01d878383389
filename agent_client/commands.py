"""The command `run`: the only place of the client that reads the environment."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import click
from filelock import FileLock, Timeout

from agent_client import standin
from agent_client.loop import Plan, Run
from agent_client.options import Access
from agent_client.prompt import system_prompt
from agent_client.report import RunReason, RunReport
from lineage_repo.campaign import Campaign, CampaignError
from lineage_repo.manifest import Objective

_KEPT = ("PATH", "LANG", "LANGUAGE", "LC_", "TMPDIR", "TZ")
"""What every process of ours may see."""
_SERVER = (
    *_KEPT,
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_",
    "DBUS_SESSION_BUS_ADDRESS",
    "ESPALIER_",
    "CUDA_",
    "NVIDIA_",
    "LD_LIBRARY_PATH",
)
"""What our server sees: it starts the boxes, and finds the host's slots and caches."""
_MODEL = (
    *("ANTHROPIC_", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_", "AWS_", "GOOGLE_", "CLOUD_ML_", "VERTEX_"),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    ),
)
"""What reaches a real model: credentials, endpoint, proxies. The stand-in gets none of it."""
_CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    help="Model of every specialist, or `standin`: a plain search, no key, no network. Default: the manifest's.",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    required=True,
    help="Trials that the campaign is to have; the same command resumes.",
)
@click.option("--specialists", metavar="A,B", default="", help="Only these roles. Default: all of the campaign.")
@click.option("--concurrency", type=click.IntRange(1), help="Sessions at once. Default: one per specialist.")
@click.option("--submits", type=click.IntRange(1), help="Most trials per session. Default: the campaign's cap.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def run(
    folder: Path,
    model: str | None,
    trials: int,
    specialists: str,
    concurrency: int | None,
    submits: int | None,
    as_json: bool,
) -> None:
    """Run specialist sessions until the campaign has the asked number of trials."""
    environment = dict(os.environ)
    campaign = _open(folder)
    models = _models(campaign, [name for name in specialists.split(",") if name], model)
    for name in models:
        system_prompt(campaign, name)
    _check_credentials(set(models.values()), environment)
    plan = Plan(models=models, trials=trials, concurrency=concurrency or len(models), submits=submits)
    os.environ.clear()  # the SDK hands all of it to Claude Code
    os.environ.update(_select(environment, _KEPT))
    try:
        with FileLock(campaign.folder / "run.lock", timeout=0):
            report, signalled = asyncio.run(_run(campaign, plan, environment))
    except Timeout:
        raise CampaignError(f"another run holds {folder}: end it first, or wait for it") from None
    click.echo(report.model_dump_json(indent=1) if as_json else _summary(report, campaign.task.objective, folder))
    if signalled:
        raise click.exceptions.Exit(128 + signalled)
    if report.reason is not RunReason.GOAL:
        raise click.exceptions.Exit(1)


async def _run(campaign: Campaign, plan: Plan, environment: Mapping[str, str]) -> tuple[RunReport, int]:
    """Hold the run, with the stand-in's endpoint where one is asked for; return the signal that ended it, or 0."""
    with contextlib.ExitStack() as stack:
        model = _select(environment, _MODEL)
        if standin.MODEL in plan.models.values():
            url = stack.enter_context(standin.serving())
            model = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": standin.MODEL, "NO_PROXY": "127.0.0.1"}
        access = Access(model=model, server=_select(environment, _SERVER))
        job = Run(campaign, access, plan, lambda line: click.echo(line, err=True))
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
    if standin.MODEL in models.values() and len(set(models.values())) > 1:
        raise CampaignError("the stand-in and a real model can't share a run: give --model, or choose --specialists")
    return models


def _check_credentials(models: set[str], environment: Mapping[str, str]) -> None:
    if models != {standin.MODEL} and not any(
        name.startswith(_CREDENTIALS) and environment[name] for name in environment
    ):
        raise click.ClickException(
            f"no credentials for {', '.join(sorted(models))}: set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN from "
            "`claude setup-token`; or use --model standin, which needs none"
        )


def _select(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """The variables with these names; one that ends in `_` stands for all that begin so."""
    exact = {name for name in names if not name.endswith("_")}
    begins = tuple(name for name in names if name.endswith("_"))
    return {name: value for name, value in environment.items() if name in exact or name.startswith(begins)}


def _summary(report: RunReport, objective: Objective, folder: Path) -> str:
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
            f"next: espalier log {folder}",
            f"      git -C {folder}/lineage.git log --graph best",
        ]
    )
