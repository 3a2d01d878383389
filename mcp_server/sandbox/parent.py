"""Tie a child to the life of its parent, between fork and exec."""

import ctypes

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int) -> None:
    """Have the kernel send the calling process the signal `number` when its parent dies; Linux only."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
