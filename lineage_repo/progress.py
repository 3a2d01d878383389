"""Progress of long work: one channel from the code that works to whoever watches.

The working code calls `report_progress`, or `report_detail` for steps that nobody reads later, and knows nothing of its
listeners. A command prints the lines
(`cli.output.show_progress`), a runner keeps the newest one in a file, a server ignores them. All other messages go to a
logger below `espalier`.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

_LOGGER = "espalier.progress"


def report_progress(line: str) -> None:
    """Report in one line how far long work has come."""
    _get_logger().info("%s", line)


def report_detail(line: str) -> None:
    """Report a step of long work that is of interest only while it lasts."""
    _get_logger().debug("%s", line)


def _get_logger() -> logging.Logger:
    logger = logging.getLogger(_LOGGER)
    # mcp shows every message of a server's process; progress is for those who listen.
    logger.propagate = False
    return logger


class _Listener(logging.Handler):
    def __init__(self, listen: Callable[[str], None], listen_detail: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._listen, self._listen_detail = listen, listen_detail

    def emit(self, record: logging.LogRecord) -> None:
        # Showing progress never ends the work: a full disk or a closed pipe costs a line, not a trial.
        with suppress(OSError):
            (self._listen_detail if record.levelno < logging.INFO else self._listen)(record.getMessage())


@contextmanager
def progress_to(listen: Callable[[str], None], listen_detail: Callable[[str], None] | None = None) -> Generator[None]:
    """Call `listen` with every progress line of this process while the block runs, `listen_detail` with details.

    Without a `listen_detail`, details go to `listen` too.
    """
    logger, handler = _get_logger(), _Listener(listen, listen_detail or listen)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        if not any(isinstance(other, _Listener) for other in logger.handlers):
            logger.setLevel(logging.NOTSET)
