"""Repair the standard input of a stdio server: a request that can't be parsed would never be answered."""

import os
import re
import threading
from typing import BinaryIO

_SURROGATES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def repair_stdin() -> None:
    """Replace descriptor 0 by a pipe through which every line comes repaired."""
    source = os.fdopen(os.dup(0), "rb")
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    threading.Thread(target=_copy, args=(source, writing), daemon=True).start()


def repair_line(line: bytes) -> bytes:
    """Replace each half of a surrogate pair, which is not a character, in a line of JSON by U+FFFD."""
    return _SURROGATES.sub(lambda match: rb"\ufffd" if match[1] else match[0], line)


def _copy(source: BinaryIO, writing: int) -> None:
    with source, os.fdopen(writing, "wb", buffering=0) as target:
        for line in source:
            target.write(repair_line(line))
