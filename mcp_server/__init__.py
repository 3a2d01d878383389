"""The server that measures: its tools are all that an agent can do to a campaign.

The names below are the public API; they load when they are first used.

Rooms, from the ground up; each imports only from rooms above it in this list, and from `lineage_repo`:

    sandbox     one box: bubblewrap, cgroups, seccomp, sealed artifacts, the self-test
    trial       one trial: preflight, queue, job, worker, evaluator, runner, calibration
    tools       the MCP server, and the workspace of one specialist
    commands    the commands that measure or serve
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_server.tools.server import build
    from mcp_server.tools.workspace import Workspace
    from mcp_server.trial.executor import Executor

__all__ = ["Executor", "Workspace", "build"]

_HOMES = {
    "Executor": "mcp_server.trial.executor",
    "Workspace": "mcp_server.tools.workspace",
    "build": "mcp_server.tools.server",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
