"""`espalier serve`: one specialist's tools over MCP. A module of its own, since importing mcp takes half a second."""

import re
from pathlib import Path
from typing import Any

import click

from lineage_repo.cli.options import campaign_dir
from mcp_server.commands.opening import open_to_measure
from mcp_server.tools.server import build
from mcp_server.tools.stdio import repair_stdin
from mcp_server.tools.workspace import Workspace, new_session


def _check_digest(_: Any, __: Any, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
        raise click.BadParameter(f"{value[:80]!r} is not a SHA-256: give 64 hexadecimal digits in lower case")
    return value


@click.command()
@campaign_dir
@click.option("--specialist", required=True, help="The specialist that connects; fixed for the life of the connection.")
@click.option("--session", default=None, help="Session id for the record; by default a new one.")
@click.option(
    "--max-submits", type=click.IntRange(1), default=None, help="Trials this session may register.  [the role's cap]"
)
@click.option(
    "--brief",
    "brief_sha256",
    callback=_check_digest,
    default=None,
    help="SHA-256 of the session's opening message, for the record.",
)
def serve(
    directory: Path, specialist: str, session: str | None, max_submits: int | None, brief_sha256: str | None
) -> None:
    """Serve SPECIALIST's tools over MCP on standard input and output, for any MCP-capable agent."""
    campaign, executor = open_to_measure(directory)
    campaign.check_digests()
    session = session or new_session(specialist)
    workspace = Workspace(campaign, specialist, session, max_submits, executor.host, brief_sha256)
    repair_stdin()
    try:
        build(workspace).run()
    finally:
        workspace.workdir.close()
