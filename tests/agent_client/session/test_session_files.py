"""What a session writes can be read again, and no text in it has a credential."""

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
def folder(tmp_path: Path) -> SessionFolder:
    """The folder of a session that is about to begin."""
    session = SessionFolder(folder=tmp_path / "sessions" / "s", workdir=tmp_path / "work")
    session.home.mkdir(parents=True)
    return session


def session_record(**changes: object) -> SessionRecord:
    return SessionRecord.model_validate(
        {"session": "s", "specialist": "opt", "model": "m", "started": now(), "ended": now(), "submits": 1} | changes
    )


def test_a_key_at_the_start_of_a_line_is_in_no_file_and_every_file_is_read_again(folder: SessionFolder) -> None:
    message = AssistantMessage([TextBlock(TEXT), TextBlock(json.dumps({"a tool's answer": TEXT}))], "m")
    call = ToolCall(at=now(), tool="Read", input="{}", seconds=1, error=False, result=TEXT)
    with SessionFiles(folder, Redactor([OWN])) as files:
        files.add_message(message, [call])
        files.add_log_line(TEXT)
        files.write_record(session_record(last_words=TEXT, tool_calls={KEYS[0]: 1}))
    written = [next(read_sessions(folder.folder.parents[1])).model_dump_json()]
    written += [str(json.loads(path.read_bytes())) for path in (folder.transcript, folder.tools)]
    for text in [*written, folder.log.read_text("utf-8")]:
        assert "[redacted]" in text
        for key in ("token=abc", OWN, json.dumps(OWN)[1:-1], *(key.removeprefix("Bearer ") for key in KEYS)):
            assert key not in text


def test_a_number_is_not_a_credential(folder: SessionFolder) -> None:
    with SessionFiles(folder, Redactor(["12345678"])) as files:
        files.write_record(session_record(cost_usd=12345678, last_words="it costs 12345678"))
    record = next(read_sessions(folder.folder.parents[1]))
    assert (record.cost_usd, record.last_words) == (12345678, "it costs [redacted]")
