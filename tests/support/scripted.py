"""Scripted conversations: a loopback Messages endpoint, and sessions of the real Claude Code that talk to it."""

import asyncio
import json
import os
import re
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from agent_client.session.claude_options import Access, Assignment
from agent_client.session.session import Session
from agent_client.standin.server import to_events
from lineage_repo.model.session import SessionRecord
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign
from lineage_repo.text.redact import Redactor

Blocks = list[dict[str, Any]]
DONE: Blocks = [{"type": "text", "text": "done"}]


class Fault(NamedTuple):
    """How a request fails before the script continues; code 0 drops the connection in mid-stream."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()


def use(name: str, **arguments: object) -> Blocks:
    """A turn that calls one tool."""
    return [{"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": arguments}]


def espalier(tool: str, **arguments: object) -> Blocks:
    """A turn that calls one of our tools."""
    return use(f"mcp__espalier__{tool}", **arguments)


def submit(title: str = "one more constant", **arguments: object) -> Blocks:
    """A turn that submits a trial."""
    hypothesis = "A constant that nobody reads changes nothing at all."
    return espalier("submit_trial", title=title, hypothesis=hypothesis, expected_delta=-0.1, **arguments)


def edit(campaign: Campaign, value: int, specialist: str = "opt") -> Blocks:
    """A turn that changes the recipe without effect."""
    path = campaign.paths.workdir(specialist) / f"extra_{value}.py"
    return use("Write", file_path=str(path), content=f"X = {value}\n")


def edit_anywhere() -> Blocks:
    """A turn that changes the recipe of whichever agent plays it, each in another way."""
    return use("Write", file_path="WORKDIR/extra.py", content="X = 'WORKDIR'\n")


@contextmanager
def scripted(
    *turns: Blocks,
    usage: float = 0,
    output: int = 1,
    faults: Sequence[Fault] = (),
    hang_at: int | None = None,
    seen: list[bytes] | None = None,
) -> Generator[str]:
    """An endpoint that answers the n-th request of a conversation with the n-th turn, then with words.

    First each fault fails one request; the turn `hang_at` gets no answer at all. The words echo the key.
    """
    left, over = list(faults), threading.Event()

    class Script(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            if seen is not None:
                seen.append(raw)
            request = json.loads(raw)
            if left and request.get("tools"):
                return self._fail(left.pop(0))
            turn = sum(m["role"] == "assistant" for m in request["messages"])
            if turn == hang_at:
                over.wait(120)
                return None
            content = self._place(turns[turn], request) if turn < len(turns) else self._words()
            message: dict[str, Any] = {
                "id": f"msg_{turn}",
                "type": "message",
                "role": "assistant",
                "model": request["model"],
                "content": content,
                "stop_reason": "tool_use" if turn < len(turns) else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": usage, "output_tokens": output},
            }
            # Claude Code asks again without streaming where a stream breaks off.
            streams = bool(request.get("stream"))
            return self._send(200, to_events(message) if streams else json.dumps(message).encode(), streams=streams)

        def _place(self, turn: Blocks, request: dict[str, Any]) -> Blocks:
            """Replace `WORKDIR` in a turn by the working copy that the opening message names."""
            match = re.search(r"Your working copy: (\S+) ", json.dumps(request["messages"]))
            return json.loads(json.dumps(turn).replace("WORKDIR", match[1] if match else "nowhere"))

        def _words(self) -> Blocks:
            key = self.headers.get("x-api-key", "")
            return [{"type": "text", "text": "done" if key == "none" else f"your key is {key}"}]

        def _fail(self, fault: Fault) -> None:
            if fault.code:
                error = {"type": "error", "error": {"type": "scripted", "message": f"scripted {fault.code}"}}
                return self._send(fault.code, json.dumps(error).encode(), fault.headers)
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b'event: message_start\ndata: {"type": "message_start", "mess')
            self.close_connection = True
            return None

        def _send(
            self, code: int, body: bytes, headers: Sequence[tuple[str, str]] = (), *, streams: bool = False
        ) -> None:
            self.send_response(code)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(body)))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore connections that Claude Code drops when it is cut off."""

    server = Server(("127.0.0.1", 0), Script)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def server_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}


def run_session(
    campaign: Campaign,
    url: str,
    *,
    key: str = "none",
    server: dict[str, str] | None = None,
    extras: tuple[str, ...] = (),
    **caps: object,
) -> SessionRecord:
    """Run one session of opt against a Messages endpoint; `caps` change its caps, whose default is one submit."""

    async def run() -> SessionRecord:
        model = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": key,
            "NO_PROXY": "127.0.0.1",
            "CLAUDE_CODE_MAX_RETRIES": "1",
        }
        access = Access(model=model, server=server or server_environment(), redact=Redactor.from_environment(model))
        allowed = caps_of(campaign, "opt").model_copy(update={"submits": 1, **caps})
        assignment = Assignment(specialist="opt", model="claude-sonnet-5", caps=allowed, extras=extras)
        return await Session(campaign, access, assignment).run()

    return asyncio.run(run())


def lines(campaign: Campaign, record: SessionRecord, name: str = "transcript.jsonl") -> list[dict[str, Any]]:
    """A session's transcript or tool trace."""
    text = (campaign.folder / "sessions" / record.session / name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def results(campaign: Campaign, record: SessionRecord) -> list[tuple[bool, str]]:
    """Whether each tool call failed, and what came back."""
    blocks = [b for line in lines(campaign, record) if line["type"] == "UserMessage" for b in line["content"]]
    return [(bool(block["is_error"]), str(block["content"])) for block in blocks if "tool_use_id" in block]


def command(campaign: Campaign, *arguments: object, model: str = "standin") -> list[str]:
    """The argv of `espalier run`."""
    argv = [sys.executable, "-m", "lineage_repo.cli.main", "run", str(campaign.folder), "--model", model, "--json"]
    return [*argv, *(str(a) for a in arguments)]


def processes_of(folder: Path) -> dict[int, str]:
    """Agents and servers that work for a campaign, by process id."""
    processes: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in line and ("stream-json" in line or " serve " in line):
            processes[int(entry.parent.name)] = line
    return processes
