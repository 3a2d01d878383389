"""Lanes in which trials are drawn over time, so that concurrent ones do not overlap."""

import heapq
from collections.abc import Sequence

from lineage_repo.analysis.facts import compute_slot_seconds
from lineage_repo.model.ledger import Trial


def place_in_lanes(trials: Sequence[Trial]) -> dict[int, tuple[float, int]]:
    """When each trial ended, and the lowest lane that was free when it began; empty if a time is missing."""
    counted = [trial for trial in trials if trial.number]
    if not counted or any(trial.lacks("time") for trial in counted):
        return {}
    ends = [(trial.at.timestamp(), trial) for trial in counted]
    spans = sorted((end - (compute_slot_seconds(trial) or 0.0), end, trial.number) for end, trial in ends)
    first, busy, free, lanes = spans[0][0], list[tuple[float, int]](), list[int](), 0
    placed: dict[int, tuple[float, int]] = {}
    for begin, end, number in spans:
        while busy and busy[0][0] <= begin + 1:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            heapq.heappush(free, lanes)
            lanes += 1
        lane = heapq.heappop(free)
        heapq.heappush(busy, (end, lane))
        placed[number] = ((end - first) / 3600, lane)
    return placed
