"""The stand-in model: a loopback Messages endpoint that plays the policy, with no key and no network.

With it the real Claude Code, the real server and the real evaluator run a campaign by a plain search. It is not a
language model: it reports no tokens, and each answer depends on nothing but the request.
"""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent_client.standin.conversation import PREFIX, Say, Use, read_conversation
from agent_client.standin.policy import Step, next_step

MODEL = "standin"
_NO_TOKENS = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


@contextmanager
def serve() -> Generator[str]:
    """Serve on a free port of 127.0.0.1 while the context lasts.

    POST answers Messages requests, streamed or not, and token counts. A malformed request gets code 400 and an
    `invalid_request_error`. GET and HEAD answer 200 on any path, since Claude Code asks whether the endpoint is there.

    Yields:
        The base URL, for `ANTHROPIC_BASE_URL`.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="standin", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a Messages request with an assistant message; one without our tools gets words."""
    messages = request["messages"]
    offered = {str(tool.get("name", "")) for tool in request.get("tools", ())}
    step: Step = Say(text="This is the stand-in; it only turns knobs.")
    if any(name.startswith(PREFIX) for name in offered):
        step = next_step(read_conversation(messages))
    content = [{"type": "text", "text": step.text}] if isinstance(step, Say) else _tool_uses(step, len(messages))
    return {
        "id": f"msg_standin_{len(messages)}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", MODEL),
        "content": content,
        "stop_reason": "end_turn" if isinstance(step, Say) else "tool_use",
        "stop_sequence": None,
        "usage": _NO_TOKENS,
    }


def _tool_uses(uses: list[Use], turn: int) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": f"toolu_{turn}_{i}", **use.model_dump()} for i, use in enumerate(uses)]


def to_events(message: dict[str, Any]) -> bytes:
    """Write a message as the server-sent events of the streaming protocol."""
    usage: dict[str, Any] = message["usage"]
    # As in the real API, only the end of a message says how long it is.
    head: dict[str, Any] = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    stream: list[tuple[str, dict[str, Any]]] = [("message_start", {"message": head})]
    for index, block in enumerate(message["content"]):
        empty: dict[str, Any] = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        delta = {"type": "text_delta", "text": block.get("text")}
        if block["type"] == "tool_use":
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        stream += [
            ("content_block_start", {"index": index, "content_block": empty}),
            ("content_block_delta", {"index": index, "delta": delta}),
            ("content_block_stop", {"index": index}),
        ]
    end = {
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": usage["output_tokens"]},
    }
    stream += [("message_delta", end), ("message_stop", {})]
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n" for name, body in stream).encode()


class _Handler(BaseHTTPRequestHandler):
    """One request; the connection closes after each, so that nothing outlives the server."""

    def do_GET(self) -> None:
        self._send(200, "application/json", b"{}")

    def do_HEAD(self) -> None:
        self._send(200, "application/json", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        try:
            request = json.loads(body)
            if "count_tokens" in self.path:
                self._send(200, "application/json", json.dumps({"input_tokens": len(body) // 4}).encode())
                return
            message = answer(request)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            wrong = {"type": "invalid_request_error", "message": f"{type(error).__name__}: {error}"}
            self._send(400, "application/json", json.dumps({"type": "error", "error": wrong}).encode())
            return
        if request.get("stream"):
            self._send(200, "text/event-stream", to_events(message))
        else:
            self._send(200, "application/json", json.dumps(message).encode())

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep the terminal for the campaign's own lines."""
