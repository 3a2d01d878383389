"""Errors that a user or an agent can act on. Each message names the wrong value and the next step."""


class EspalierError(Exception):
    """The base class. The command line prints the message as one line, without a traceback."""


class RecordError(EspalierError):
    """Git failed, the repository is not a lineage, or the record does not allow the request."""


class SnapshotError(EspalierError):
    """A folder or a path cannot be part of a recipe's snapshot."""


class TaskError(EspalierError):
    """A task folder cannot be used: its manifest, recipe, evaluator, knowledge, data or upstream."""


class CampaignError(EspalierError):
    """A campaign cannot be created, opened, calibrated, certified, run or controlled as asked."""


class UnsupportedError(EspalierError):
    """An analysis or a figure needs data that the record lacks, or an optional package that is not installed."""


class InterchangeError(EspalierError):
    """Trials cannot be imported or exported."""


class HostError(EspalierError):
    """The configuration of this host is wrong, or the host lacks something that the campaign needs."""


class SandboxError(EspalierError):
    """No box can be made here as the campaign requires, or something outside ended one."""


class EvaluatorError(EspalierError):
    """The evaluator broke its protocol. The harness is at fault, not the recipe."""


class RefusedError(EspalierError):
    """A tool refused an agent's call."""


class EndpointError(EspalierError):
    """The model's endpoint rejects the credentials or the model, or does not answer."""


class ShellError(EspalierError):
    """This host cannot confine an agent's shell to a box, so no session gets one."""
