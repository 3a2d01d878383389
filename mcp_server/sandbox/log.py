"""A box's log: its head and its tail, however much it writes."""

import re

HEAD = 256 * 1024
TAIL = 768 * 1024


class BoxLog:
    """Bounded memory of an unbounded stream."""

    def __init__(self) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self.total = 0

    def feed(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self.total += len(chunk)
        room = HEAD - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room > 0 else chunk
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]

    def bytes(self) -> bytes:
        """Return head and tail, with a line between them that says how much is left out."""
        tail = bytes(self._tail[-TAIL:])
        cut = self.total - len(self._head) - len(tail)
        note = f"\n[{cut:,} bytes left out by the harness]\n".encode() if cut > 0 else b""
        return bytes(self._head) + note + tail


def last_error(log: bytes) -> str:
    """Return the last exception in a log, or its last line, and the deepest line of the recipe that it names.

    All of it is the recipe's own text.
    """
    text = log[-20_000:].decode("utf-8", "replace")
    errors = re.findall(r"^(?:\w+\.)*(?:\w*(?:Error|Exception|Interrupt|Exit|Warning))\b.*$", text, re.M)
    frames = re.findall(r'File "/recipe/([\w./-]+)", line (\d+)', text)
    where = f" at {frames[-1][0]}:{frames[-1][1]}" if frames else ""
    lines = text.strip().splitlines()
    last = errors[-1] if errors else lines[-1][:120] if lines else ""
    return f"{last}{where}" if last else ""
