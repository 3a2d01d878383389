"""Every error that a user or an agent can act on. Each message names the value that is wrong and the next step."""


class EspalierError(Exception):
    """Something was refused or is missing. The command line prints it as one line, without a traceback."""


class RecordError(EspalierError):
    """Git refused, the repository is no lineage, or the record does not allow the request."""


class SnapshotError(EspalierError):
    """A folder or path cannot be a snapshot of a recipe."""


class TaskError(EspalierError):
    """A task folder cannot be used: its manifest, recipe, evaluator, knowledge, data or upstream."""


class CampaignError(EspalierError):
    """A campaign cannot be made, opened, calibrated, certified, run or steered as asked."""


class UnsupportedError(EspalierError):
    """The record, or an optional package that is not installed, does not support an analysis or a figure."""


class InterchangeError(EspalierError):
    """Trials cannot be imported or exported."""


class HostError(EspalierError):
    """This host's configuration is wrong, or the host lacks what the campaign needs."""


class SandboxError(EspalierError):
    """No box can be made on this host."""


class EvaluatorError(EspalierError):
    """The evaluator broke its protocol. The harness is at fault, not the recipe."""


class RefusedError(EspalierError):
    """A tool refused an agent's call."""


class EndpointError(EspalierError):
    """The model's endpoint rejects the credentials or the model, or does not answer."""


class ShellError(EspalierError):
    """An agent's shell cannot be kept in a box, so no session may have one."""
