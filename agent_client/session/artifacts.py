"""What a session writes to its folder; credentials are taken out before a byte is written."""

import json
import shutil
from types import TracebackType
from typing import Self, TextIO

from claude_agent_sdk import Message

from agent_client.session import messages
from agent_client.session.claude_options import SessionFolder
from agent_client.session.stream import ToolCall
from lineage_repo.model.session import SessionRecord
from lineage_repo.storage.files import write_whole
from lineage_repo.text.redact import Redactor


class SessionFiles:
    """Transcript, tool trace, Claude Code's log and record of one session; leaving the context closes them."""

    def __init__(self, folder: SessionFolder, redact: Redactor) -> None:
        self._folder, self._redact = folder, redact
        self._transcript, self._tools, self._log = (
            path.open("a", encoding="utf-8") for path in (folder.transcript, folder.tools, folder.log)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stream in (self._transcript, self._tools, self._log):
            stream.close()
        # Claude Code's own folder has caches and a copy of what is here already, some of it unredacted.
        shutil.rmtree(self._folder.home, ignore_errors=True)

    def add_message(self, message: Message, ended: list[ToolCall]) -> None:
        """Add a message, and the tool calls that it ended."""
        self._write_line(self._transcript, messages.to_json(message, self._redact))
        for call in ended:
            self._write_line(self._tools, json.dumps(self._redact.redact_data(call.model_dump(mode="json"))))

    def add_log_line(self, line: str) -> None:
        """Add a line that Claude Code wrote to its standard error."""
        self._write_line(self._log, self._redact(line))

    def write_record(self, record: SessionRecord) -> None:
        """Replace `session.json`."""
        body = json.dumps(self._redact.redact_data(record.model_dump(mode="json", exclude_none=True)), indent=1)
        write_whole(self._folder.record, f"{body}\n".encode())

    def _write_line(self, stream: TextIO, line: str) -> None:
        if not stream.closed:  # Claude Code may write a last line while it dies
            stream.write(f"{line}\n")
            stream.flush()
