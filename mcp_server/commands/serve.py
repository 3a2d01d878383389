"""The `serve` command, apart from the others because importing mcp takes half a second."""

import re
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.options import campaign_dir
from mcp_server.commands.calibrate import open_here, require
from mcp_server.tools.server import build
from mcp_server.tools.stdio import mend_stdin
from mcp_server.tools.workspace import Workspace, new_session
from mcp_server.trial.executor import LocalExecutor


def _digest(_: Any, __: Any, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
        raise click.BadParameter(f"{value[:80]!r} is no SHA-256: give 64 hexadecimal digits in lower case")
    return value


@click.command()
@campaign_dir
@click.option("--specialist", required=True, help="Who the connection is; fixed for its life.")
@click.option("--session", default=None, help="Session id for the record; one is made up where none is given.")
@click.option(
    "--max-submits", type=click.IntRange(1), default=None, help="Trials this session may register.  [the role's cap]"
)
@click.option(
    "--brief", callback=_digest, default=None, help="SHA-256 of the session's opening message, for the record."
)
def serve(directory: Path, specialist: str, session: str | None, max_submits: int | None, brief: str | None) -> None:
    """Serve SPECIALIST's tools over MCP on standard input and output, for any MCP-capable agent."""
    campaign, host = open_here(directory)
    require(LocalExecutor(host), campaign.settings.isolation, campaign.task)
    campaign.check_digests()
    bench = Workspace(campaign, specialist, session or new_session(specialist), max_submits, host, brief)
    mend_stdin()
    try:
        build(bench).run()
    finally:
        bench.workdir.close()
