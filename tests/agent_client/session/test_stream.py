"""What a session has used, counted from the messages of Claude Code."""

from typing import Any

import pytest
from claude_agent_sdk import AssistantMessage, StreamEvent, TextBlock

from agent_client.session import messages
from agent_client.session.stream import Activity
from lineage_repo.model.session import Usage


def event(**fields: Any) -> StreamEvent:
    return StreamEvent(uuid="u", session_id="s", event=fields)


def begins(tokens: int) -> StreamEvent:
    return event(type="message_start", message={"usage": {"input_tokens": tokens, "output_tokens": 1}})


def answer(name: str, output: int) -> AssistantMessage:
    return AssistantMessage([TextBlock("x")], model="m", message_id=name, usage={"output_tokens": output})


def test_answers_are_counted_by_their_stream_whatever_they_are_called() -> None:
    activity = Activity()
    for _ in range(3):
        for message in (begins(10), answer("same", 1), event(type="message_delta", usage={"output_tokens": 500})):
            activity.take(message)
    assert (activity.turns, activity.usage) == (3, Usage(input=30, output=1500))


def test_without_a_stream_the_parts_of_one_answer_count_once() -> None:
    activity = Activity()
    for name, output in (("a", 5), ("a", 7), ("b", 1), ("a", 2)):
        activity.take(answer(name, output))
    assert (activity.turns, activity.usage) == (3, Usage(output=10))


def test_an_answer_that_never_ends_does_not_keep_a_session_from_being_idle() -> None:
    activity = Activity()
    before = activity.heard
    activity.take(event(type="content_block_delta", delta={"text": "x"}))
    assert activity.heard == before


@pytest.mark.parametrize(
    "raw", [[1, 2], "many", {"input_tokens": 1.5}, {"output_tokens": -1}, {"input_tokens": 10**30}]
)
def test_counts_that_are_not_numbers_of_tokens_are_refused(raw: object) -> None:
    with pytest.raises(messages.UsageError, match="the endpoint reports"):
        messages.usage_of(raw)
