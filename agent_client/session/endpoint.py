"""The endpoint of the model: its variables, and a check of credentials and model before anything is spent."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from lineage_repo.errors import EndpointError
from lineage_repo.text.redact import Redactor

DEFAULT_URL = "https://api.anthropic.com"
VARIABLES = (
    *("ANTHROPIC_", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_", "AWS_", "GOOGLE_", "CLOUD_ML_", "VERTEX_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"),
)
"""Variables that a real model needs: credentials, endpoint, proxies. The stand-in gets none of them."""
_CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_")
_TIMEOUT_S = 15.0


def select_variables(environment: Mapping[str, str], base_url: str | None) -> dict[str, str]:
    """Select the variables for a session of a real model.

    With `base_url` and no credentials the key is `none`: a local endpoint may need no key, but Claude Code does.
    """
    variables = select(environment, VARIABLES)
    if base_url:
        variables["ANTHROPIC_BASE_URL"] = base_url.rstrip("/")
        if not _has_credentials(variables):
            variables["ANTHROPIC_API_KEY"] = "none"
    return variables


def check(models: Iterable[str], variables: Mapping[str, str]) -> None:
    """Ask the endpoint for each model, which costs nothing.

    A cloud's own protocol and an OAuth token are not tried; it is enough that their variables are set.

    Raises:
        EndpointError: no credentials, or the endpoint refuses them, does not know a model, or can't be reached.
    """
    names = sorted(set(models))
    if not _has_credentials(variables):
        raise EndpointError(
            f"no credentials for {', '.join(names)}: set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN from "
            "`claude setup-token`; or use --model standin, which needs none"
        )
    cloud = any(name.startswith("CLAUDE_CODE_USE_") and value for name, value in variables.items())
    token = variables.get("ANTHROPIC_AUTH_TOKEN")
    key = variables.get("ANTHROPIC_API_KEY")
    if cloud or not (token or key):
        return
    headers = {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    redact = Redactor.from_environment(variables)
    for name in names:
        try:
            _ask(variables.get("ANTHROPIC_BASE_URL") or DEFAULT_URL, name, headers)
        except EndpointError as error:
            raise EndpointError(redact(str(error))) from None


def _ask(url: str, model: str, headers: Mapping[str, str]) -> None:
    if not url.startswith(("http://", "https://")):
        raise EndpointError(f"the endpoint {url!r} is not an http or https address")
    request = urllib.request.Request(f"{url}/v1/models/{model}", headers=dict(headers))  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310 - checked above
            return
    except urllib.error.HTTPError as error:
        with error:
            reason = _read_reason(error.read(10_000))
        if error.code in {401, 403}:
            raise EndpointError(f"{url} refuses the credentials ({error.code} {reason}): set valid ones") from None
        # Compatible servers often lack this route, so their 404 says nothing about the model.
        if error.code == 404 and url == DEFAULT_URL:
            raise EndpointError(f"{url} has no model {model!r} ({reason}): give another --model") from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise EndpointError(f"{url} can't be reached ({reason}): check the address, the network, the proxy") from None


def _read_reason(body: bytes) -> str:
    with suppress(ValueError, TypeError, KeyError):
        raw: dict[str, Any] = json.loads(body)
        return str(raw["error"]["message"])[:200]
    return "no reason given"


def _has_credentials(variables: Mapping[str, str]) -> bool:
    return any(name.startswith(_CREDENTIALS) and value for name, value in variables.items())


def select(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Select variables by name; a name that ends in `_` stands for every variable that begins with it."""
    prefixes = tuple(name for name in names if name.endswith("_"))
    return {name: value for name, value in environment.items() if name in names or name.startswith(prefixes)}
