"""Papers: what a session leaves in its folder, with credentials taken out before a byte is written."""

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
    """Transcript, tool trace, Claude Code's log and report of one session; closed by leaving the context."""

    def __init__(self, place: SessionFolder, redact: Redactor) -> None:
        self._place, self._redact = place, redact
        self._transcript, self._tools, self._log = (
            path.open("a", encoding="utf-8") for path in (place.transcript, place.tools, place.log)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stream in (self._transcript, self._tools, self._log):
            stream.close()
        # Claude Code's own folder: caches and a copy of what is here already, some of it unredacted.
        shutil.rmtree(self._place.home, ignore_errors=True)

    def message(self, message: Message, ended: list[ToolCall]) -> None:
        """Add a message, and the tool calls that it ended."""
        self._line(self._transcript, messages.line_of(message, self._redact))
        for call in ended:
            self._line(self._tools, json.dumps(self._redact.redact_data(call.model_dump(mode="json"))))

    def log(self, line: str) -> None:
        """Add a line that Claude Code wrote to its standard error."""
        self._line(self._log, self._redact(line))

    def report(self, report: SessionRecord) -> None:
        """Write `session.json` anew."""
        body = json.dumps(self._redact.redact_data(report.model_dump(mode="json", exclude_none=True)), indent=1)
        write_whole(self._place.record, f"{body}\n".encode())

    def _line(self, stream: TextIO, line: str) -> None:
        if not stream.closed:  # Claude Code may write a last line while it dies
            stream.write(f"{line}\n")
            stream.flush()
