"""The model's endpoint is checked before anything is spent."""

import http.server
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from agent_client.session import endpoint
from lineage_repo.errors import EndpointError


@contextmanager
def models(code: int, message: str = "") -> Generator[tuple[str, list[str]]]:
    """Serve an endpoint that answers every model request with this code; yield its address and the keys it saw."""
    keys: list[str] = []

    class Models(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(f"{self.path} {self.headers.get('x-api-key')}")
            body = json.dumps({"error": {"message": message}}).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", keys
        server.shutdown()
        thread.join()


def test_an_endpoint_is_asked_for_the_model_with_the_key_before_anything_is_spent() -> None:
    with models(200) as (url, keys):
        endpoint.check(["big"], endpoint.select_variables({"ANTHROPIC_API_KEY": "mine"}, url))
    assert keys == ["/v1/models/big mine"]


def test_a_private_endpoint_needs_no_key_and_no_list_of_models() -> None:
    with models(404) as (url, keys):
        variables = endpoint.select_variables({}, url)
        endpoint.check(["big"], variables)
    assert (variables["ANTHROPIC_API_KEY"], len(keys)) == ("none", 1)


def test_refused_credentials_and_dead_addresses_are_errors_before_anything_is_spent() -> None:
    with models(401, "invalid x-api-key") as (url, _):
        variables = endpoint.select_variables({"ANTHROPIC_API_KEY": "mine"}, url)
        with pytest.raises(EndpointError, match=r"refuses the credentials \(401 invalid x-api-key\)"):
            endpoint.check(["big"], variables)
    with pytest.raises(EndpointError, match="can't be reached"):
        endpoint.check(["big"], variables)
    with pytest.raises(EndpointError, match="not an http or https address"):
        endpoint.check(["big"], variables | {"ANTHROPIC_BASE_URL": "file:///etc"})
