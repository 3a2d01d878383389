"""The one base of every error that a user or an agent can act on."""


class EspalierError(Exception):
    """Something refused or missing; the message names the value and the next step."""
