"""The roll call: Claude Code names its servers and tools before the model is asked anything.

It names them only when a prompt arrives. So the first prompt of a session is one that a hook keeps from the model and
from the conversation; where it reaches the model all the same, hooks do not work, and with them no guard.
"""

from collections.abc import Callable

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeSDKClient,
    HookContext,
    HookInput,
    HookMatcher,
    Message,
    SystemMessage,
)
from claude_agent_sdk.types import HookJSONOutput

from agent_client.session import messages
from lineage_repo.model.session import EndReason


class ToolCheck:
    """One session's; `hold` it before the first prompt that is meant for the model."""

    def __init__(self, expected: frozenset[str]) -> None:
        self._expected = expected
        self._over = False

    def matcher(self) -> HookMatcher:
        """The UserPromptSubmit hook that keeps the roll call from the model."""
        return HookMatcher(hooks=[self._keep], timeout=10, on_failure="block")

    async def hold(self, client: ClaudeSDKClient, tell: Callable[[Message], None]) -> tuple[EndReason, str] | None:
        """Why the session must not begin; None where servers and tools are exactly the expected ones."""
        await client.query("roll call")
        async for message in client.receive_response():
            tell(message)
            match message:
                case SystemMessage(subtype="init", data=data):
                    if wrong := messages.wrong_tools(data, self._expected):
                        return EndReason.SERVER_MISSING, wrong
                case AssistantMessage():
                    return EndReason.UNGUARDED, "Claude Code runs no hooks here: its managed settings switch them off"
                case _:
                    pass
        self._over = True
        return None

    async def _keep(self, hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        return {} if self._over else {"decision": "block", "reason": "the tools are compared first"}
