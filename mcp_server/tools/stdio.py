"""Standard input of a stdio server, with every request readable: one that is not would never be answered."""

import os
import re
import threading
from typing import BinaryIO

_SURROGATES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def mend_stdin() -> None:
    """Put a pipe in the place of descriptor 0, through which every line comes mended."""
    source = os.fdopen(os.dup(0), "rb")
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    threading.Thread(target=_copy, args=(source, writing), daemon=True).start()


def mend_line(line: bytes) -> bytes:
    """A line of JSON in which half of a surrogate pair, which is no character, stands as U+FFFD."""
    return _SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], line)


def _copy(source: BinaryIO, writing: int) -> None:
    with source, os.fdopen(writing, "wb", buffering=0) as target:
        for line in source:
            target.write(mend_line(line))
