"""Disturbance: how fast this host computes right now, from a fixed loop that knows no recipe.

It sees what slows arithmetic, such as a shared core or a lower frequency; of memory and caches it sees little.
"""

import time
from collections.abc import Callable
from statistics import median

from lineage_repo.progress import report_progress

_STEPS, _LOOPS = 20_000, 3
_FIRST_S, _LONGEST_S, _POLL_S = 2.0, 30.0, 0.1


def read_loop() -> float:
    """Return the median CPU seconds of a few runs of the loop, which take some milliseconds in all."""
    return median(_time_loop() for _ in range(_LOOPS))


def _time_loop() -> float:
    begun, value = time.thread_time(), 0
    for step in range(_STEPS):
        value = (value * 1103515245 + 12345 + step) & 0xFFFFFFFF
    return time.thread_time() - begun


def wait_for_quiet(most: float, patience_s: float, cancelled: Callable[[], bool]) -> None:
    """Return once a reading is at most `most` seconds, after `patience_s` at the latest, or when cancelled."""
    end, pause = time.monotonic() + patience_s, _FIRST_S
    while (reading := read_loop()) > most and time.monotonic() < end and not cancelled():
        report_progress(
            f"the host is disturbed, {reading / most - 1:.0%} slower than allowed: looking again in {pause:.0f} s"
        )
        until = min(time.monotonic() + pause, end)
        while time.monotonic() < until and not cancelled():
            time.sleep(_POLL_S)
        pause = min(2 * pause, _LONGEST_S)
