"""Run a module without torch.compile: `python -m uncompiled MODULE ...`, for trials of the way on a CPU."""

import runpy
import sys
from collections.abc import Callable

import torch


def plain(function: Callable | None = None, **_: object) -> Callable:
    """What torch.compile is called with, as it is."""
    return function or (lambda later: later)


if __name__ == "__main__":
    torch.compile = plain
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
