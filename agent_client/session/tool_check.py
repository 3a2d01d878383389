"""The tool check: compare Claude Code's servers and tools with the expected ones before the model is asked.

Claude Code names them only when a prompt arrives. So the first prompt of a session is one that a hook keeps from the
model and from the conversation. If it reaches the model all the same, hooks do not work, and so the guards do not.
"""

from collections.abc import AsyncGenerator

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

PROMPT = "tools ok?"
"""Under ten characters: for a longer prompt Claude Code asks the model for a title, even if a hook blocks it."""


class ToolCheck:
    """The check of one session; run it before the first prompt that is meant for the model."""

    def __init__(self, expected: frozenset[str]) -> None:
        self._expected = expected
        self._passed = False
        self.problem: tuple[EndReason, str] | None = None
        """Why the session must not begin; None if servers and tools are exactly the expected ones."""

    def hook(self) -> HookMatcher:
        """Build the UserPromptSubmit hook that keeps the check's prompt from the model."""
        return HookMatcher(hooks=[self._block], timeout=10, on_failure="block")

    async def run(self, client: ClaudeSDKClient) -> AsyncGenerator[Message]:
        """Send the prompt, yield every message of the answer, and set `problem`."""
        await client.query(PROMPT)
        async for message in client.receive_response():
            yield message
            match message:
                case SystemMessage(subtype="init", data=data):
                    if wrong := messages.find_wrong_tools(data, self._expected):
                        self.problem = EndReason.SERVER_MISSING, wrong
                        return
                case AssistantMessage():
                    self.problem = (
                        EndReason.UNGUARDED,
                        "Claude Code runs no hooks here: its managed settings switch them off",
                    )
                    return
                case _:
                    pass
        self._passed = True

    async def _block(self, hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        return {} if self._passed else {"decision": "block", "reason": "the tools are compared first"}
