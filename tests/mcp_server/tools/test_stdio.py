"""A request with half of a surrogate pair is repaired, and nothing else in it changes."""

import json

import pytest

from mcp_server.tools.stdio import repair_line


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (rb'"a \ud83d b"', "a \ufffd b"),
        (rb'"a \uDE00 b"', "a \ufffd b"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ud83d\ude00 \u00e9 \\ud83d"', "\U0001f600 \u00e9 \\ud83d"),
        ('"ä😀"'.encode(), "ä😀"),
    ],
)
def test_every_repaired_line_can_be_parsed_and_keeps_its_text(line: bytes, text: str) -> None:
    assert json.loads(repair_line(line)) == text
    json.loads(repair_line(line)).encode()
