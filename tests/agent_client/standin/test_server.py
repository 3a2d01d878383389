"""The stand-in's endpoint, over real HTTP on loopback."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from agent_client.standin import server

TOOLS = [{"name": "Read"}, {"name": "mcp__espalier__read_lineage"}]
OPENING = "You are the specialist `opt`: Optimiser.\nObjective: `loss` in nats; lower is better.\n"
ASK = {"model": "standin", "messages": [{"role": "user", "content": OPENING}], "tools": TOOLS}


@pytest.fixture
def url() -> Iterator[str]:
    with server.serve() as address:
        yield address


def post(url: str, body: object) -> tuple[str, bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=raw, headers={"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.headers["content-type"], answer.read()


def streamed(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix(b"data: ")) for line in body.splitlines() if line.startswith(b"data: ")]


def test_a_message_is_answered_with_the_first_step_of_the_policy(url: str) -> None:
    kind, body = post(f"{url}/v1/messages", ASK)
    answer = json.loads(body)
    assert kind == "application/json"
    assert answer["stop_reason"] == "tool_use"
    assert [b["name"] for b in answer["content"]] == ["mcp__espalier__read_lineage"]


def test_a_stream_carries_the_same_message_event_by_event(url: str) -> None:
    kind, body = post(f"{url}/v1/messages?beta=true", ASK | {"stream": True})
    events = streamed(body)
    assert kind == "text/event-stream"
    assert [e["type"] for e in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[1]["content_block"]["input"] == {}
    assert json.loads(events[2]["delta"]["partial_json"]) == {"view": "head"}


def test_it_bills_no_tokens_because_it_is_no_language_model(url: str) -> None:
    _, body = post(f"{url}/v1/messages", ASK)
    assert set(json.loads(body)["usage"].values()) == {0}


def test_a_request_without_our_tools_is_answered_in_words(url: str) -> None:
    _, body = post(f"{url}/v1/messages", {"messages": ASK["messages"]})
    answer = json.loads(body)
    assert answer["stop_reason"] == "end_turn"
    assert "stand-in" in answer["content"][0]["text"]


def test_tokens_are_counted_and_other_paths_answer_with_json(url: str) -> None:
    _, body = post(f"{url}/v1/messages/count_tokens", ASK)
    assert json.loads(body)["input_tokens"] > 0
    with urllib.request.urlopen(f"{url}/v1/models", timeout=10) as answer:  # noqa: S310
        assert json.loads(answer.read()) == {}
    head = urllib.request.Request(url, method="HEAD")  # noqa: S310
    with urllib.request.urlopen(head, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"messages": [1], "tools": [{"name": "mcp__espalier__x"}]}']
)
def test_a_malformed_request_is_refused_and_the_endpoint_lives_on(url: str, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{url}/v1/messages", body)
    assert refused.value.code == 400
    refused.value.close()
    assert post(f"{url}/v1/messages", ASK)[1]


def test_the_endpoint_is_gone_when_its_context_ends() -> None:
    with server.serve() as url:
        assert post(f"{url}/v1/messages", ASK)[1]
    with pytest.raises(urllib.error.URLError):
        post(f"{url}/v1/messages", ASK)
