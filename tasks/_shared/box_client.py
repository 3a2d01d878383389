"""Asking a box: what it is told, and an answer whose length is known beforehand."""

import socket
from contextlib import suppress

import lockstep
import numpy as np


class BrokenError(Exception):
    """Where the box ended, or what it said that is no answer."""


def answered(talk: socket.socket, told: bytes, count: int, size: int, what: str) -> bytes:
    """`size` bytes for each of `count` questions; raise `BrokenError` where the box ends before."""
    heard, wanted = bytearray(), size * count
    with suppress(ConnectionError):  # a box that has gone may have answered a part before
        talk.sendall(told)
    with suppress(ConnectionError):
        while part := talk.recv(min(wanted - len(heard), 1 << 20)):
            heard += part
    if len(heard) < wanted:
        raise BrokenError(f"the box ended at {what} {len(heard) // size} of {count}")
    return bytes(heard)


def scores(talk: socket.socket, told: bytes, count: int) -> list[float]:
    """A finite float32 for each of `count` requests; raise `BrokenError`."""
    heard = np.frombuffer(answered(talk, told, count, 4, "request"), "<f4")
    if (bad := np.flatnonzero(~np.isfinite(heard))).size:
        raise BrokenError(f"request {bad[0]} of {len(heard)} was answered {heard[bad[0]]}, not a finite number")
    return heard.tolist()


def nats(
    talk: socket.socket, symbols: np.ndarray, alphabet: int = lockstep.ALPHABET, counted: np.ndarray | None = None
) -> float:
    """The surprise at the symbols that count, heard in lockstep to the end; raise `BrokenError`."""
    heard = lockstep.listen(talk, symbols, alphabet, counted)
    if heard.broken or heard.steps < symbols.shape[1]:
        raise BrokenError(heard.broken or f"the box ended at step {heard.steps} of {symbols.shape[1]}")
    return heard.nats
