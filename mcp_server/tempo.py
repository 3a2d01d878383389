"""Tempo: how fast this host computes right now, from a fixed loop that knows no recipe.

It sees what slows arithmetic, such as a shared core or a lower frequency; of memory and caches it sees little.
"""

import time
from collections.abc import Callable
from statistics import median

_STEPS, _LOOPS = 20_000, 3
_PATIENCE_S, _FIRST_S, _LONGEST_S = 300.0, 2.0, 30.0


def reading() -> float:
    """Median CPU seconds of a few runs of the loop; some milliseconds in all."""
    return median(_loop() for _ in range(_LOOPS))


def _loop() -> float:
    begun, value = time.thread_time(), 0
    for step in range(_STEPS):
        value = (value * 1103515245 + 12345 + step) & 0xFFFFFFFF
    return time.thread_time() - begun


def wait_for_quiet(most: float, tell: Callable[[str], None], cancelled: Callable[[], bool]) -> None:
    """Return when a reading is at most `most` seconds, after minutes at the latest, or when cancelled."""
    begun, pause = time.monotonic(), _FIRST_S
    while (now := reading()) > most and not cancelled() and time.monotonic() - begun < _PATIENCE_S:
        tell(f"the host is disturbed ({now / most - 1:.0%} above what is allowed): looking again in {pause:.0f} s")
        until = time.monotonic() + pause
        while time.monotonic() < until and not cancelled():
            time.sleep(0.1)
        pause = min(2 * pause, _LONGEST_S)
