"""What a session leaves: readable again, and without credentials wherever in a text they stand."""

import json
from pathlib import Path

import pytest
from claude_agent_sdk import AssistantMessage, TextBlock

from agent_client.session.artifacts import SessionFiles
from agent_client.session.claude_options import SessionFolder
from agent_client.session.stream import ToolCall
from lineage_repo.model.measurement import now
from lineage_repo.model.session import SessionRecord, read_sessions
from lineage_repo.text.redact import Redactor

KEYS = (f"sk-ant-api03-{'a' * 40}", f"ghp_{'b' * 36}", f"AKIA{'C' * 16}", f"Bearer {'d' * 24}")
OWN = 'my"own\\key'
TEXT = f'see "https://x/v1?token=abc", the file:\n{OWN}\n\t' + "\n\t".join(KEYS)


@pytest.fixture
def place(tmp_path: Path) -> SessionFolder:
    """The folder of a session that is about to begin."""
    found = SessionFolder(folder=tmp_path / "sessions" / "s", workdir=tmp_path / "work")
    found.home.mkdir(parents=True)
    return found


def session_report(**changes: object) -> SessionRecord:
    return SessionRecord.model_validate(
        {"session": "s", "specialist": "opt", "model": "m", "started": now(), "ended": now(), "submits": 1} | changes
    )


def test_a_key_at_the_start_of_a_line_is_in_no_paper_and_every_paper_is_read_again(place: SessionFolder) -> None:
    message = AssistantMessage([TextBlock(TEXT), TextBlock(json.dumps({"a tool's answer": TEXT}))], "m")
    call = ToolCall(at=now(), tool="Read", input="{}", seconds=1, error=False, result=TEXT)
    with SessionFiles(place, Redactor([OWN])) as papers:
        papers.message(message, [call])
        papers.log(TEXT)
        papers.report(session_report(last_words=TEXT, tool_calls={KEYS[0]: 1}))
    left = [next(read_sessions(place.folder.parents[1])).model_dump_json()]
    left += [str(json.loads(path.read_bytes())) for path in (place.transcript, place.tools)]
    for text in [*left, place.log.read_text("utf-8")]:
        assert "[redacted]" in text
        for key in ("token=abc", OWN, json.dumps(OWN)[1:-1], *(key.removeprefix("Bearer ") for key in KEYS)):
            assert key not in text


def test_a_number_is_no_credential(place: SessionFolder) -> None:
    with SessionFiles(place, Redactor(["12345678"])) as papers:
        papers.report(session_report(cost_usd=12345678, last_words="it costs 12345678"))
    found = next(read_sessions(place.folder.parents[1]))
    assert (found.cost_usd, found.last_words) == (12345678, "it costs [redacted]")
