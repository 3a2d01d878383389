"""The `serve` command, apart from the others because importing mcp takes half a second."""

from pathlib import Path

import click

from mcp_server.bench import Bench, new_session
from mcp_server.commands import open_here, require
from mcp_server.executor import LocalExecutor
from mcp_server.server import build


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--specialist", required=True, help="Who the connection is; fixed for its life.")
@click.option("--session", default=None, help="Session id for the record; one is made up where none is given.")
@click.option(
    "--max-submits", type=click.IntRange(1), default=None, help="Trials this session may register.  [campaign's cap]"
)
def serve(directory: Path, specialist: str, session: str | None, max_submits: int | None) -> None:
    """Serve SPECIALIST's tools over MCP on standard input and output, for any MCP-capable agent."""
    campaign, host = open_here(directory)
    require(LocalExecutor(host), campaign.settings.isolation)
    campaign.check_digests()
    submits = max_submits or campaign.settings.caps.submits
    bench = Bench(campaign, specialist, session or new_session(specialist), submits, host)
    try:
        build(bench).run()
    finally:
        bench.workdir.close()
