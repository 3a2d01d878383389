"""The client that runs agents: sessions of specialists, in a loop, until a goal or a cap is reached.

It reaches the record only through `lineage_repo` and the tools only through MCP. The names below are the public API;
they load when they are first used and need the extra `swarm`.

Rooms, from the ground up; each imports only from rooms above it in this list, and from `lineage_repo`:

    brief, standin    the opening message, and the stand-in for a model
    session           one session: Claude Code, its guards and its artifacts
    loop              the campaign loop: plan, budget, back-off, state
    cli               `espalier run`
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_client.loop.campaign_loop import Run
    from agent_client.loop.plan import Plan
    from agent_client.session.session import Session

__all__ = ["Plan", "Run", "Session"]

_HOMES = {
    "Plan": "agent_client.loop.plan",
    "Run": "agent_client.loop.campaign_loop",
    "Session": "agent_client.session.session",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
