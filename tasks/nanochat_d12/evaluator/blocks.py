"""The depth of the trained net, by the names of its weights; the task has a rule for it."""

import json
import re
import struct
from pathlib import Path

BLOCK = re.compile(r"\bh\.(\d+)\.")
MAX_HEADER = 1_000_000


def count_blocks(path: Path) -> int | None:
    """Count the distinct blocks `h.<number>.` in a safetensors file; None if it has no readable header."""
    with path.open("rb") as stream:
        first = stream.read(8)
        size = struct.unpack("<Q", first)[0] if len(first) == 8 else MAX_HEADER + 1
        if size > MAX_HEADER:
            return None
        try:
            names = json.loads(stream.read(size))
        except (ValueError, RecursionError):
            return None
    if not isinstance(names, dict):
        return None
    return len({match[1] for name in names if (match := BLOCK.search(name))})
