"""The slots of this host: file locks shared by all campaigns; who waits longest gets the next one.

The kernel frees a lock when its holder dies, so only names are left to clean up.
"""

import os
import time
from pathlib import Path

from lineage_repo.storage import locks


class Ticket:
    """One trial's place in the queue, then its slot."""

    def __init__(self, folder: Path, slots: int) -> None:
        self._queue, self._folder, self._slots = folder / "queue", folder, slots
        self._queue.mkdir(parents=True, exist_ok=True)
        self._name = f"{time.time_ns():020d}-{os.getpid()}"
        self._ticket = locks.try_lock(self._queue / self._name)
        self._slot: int | None = None

    def __repr__(self) -> str:
        return f"Ticket({self._name}, {'has a slot' if self._slot is not None else 'waits'})"

    def position(self) -> int:
        """Take a slot if it is this one's turn; return how many come before it, 0 once it has a slot."""
        if self._slot is not None:
            return 0
        ahead = sum(_is_waiting(p) for p in sorted(self._queue.iterdir()) if p.name < self._name)
        if ahead == 0:
            self._slot = next(
                (s for i in range(self._slots) if (s := locks.try_lock(self._folder / f"slot-{i}")) is not None), None
            )
            if self._slot is not None:
                self._leave_queue()
                return 0
        return ahead + 1

    @property
    def slot(self) -> int:
        """Descriptor of the slot's lock; valid once `position` is 0."""
        return -1 if self._slot is None else self._slot

    def release(self) -> None:
        """Give back the slot or the place."""
        self._leave_queue()
        if self._slot is not None:
            os.close(self._slot)
            self._slot = None

    def _leave_queue(self) -> None:
        if self._ticket is not None:
            (self._queue / self._name).unlink(missing_ok=True)
            os.close(self._ticket)
            self._ticket = None


def _is_waiting(ticket: Path) -> bool:
    """Return whether a live process waits on this ticket; remove a dead one's."""
    if locks.is_held(ticket):
        return True
    ticket.unlink(missing_ok=True)
    return False
