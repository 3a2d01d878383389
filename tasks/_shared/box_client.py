"""Ask a box and read an answer whose length is known beforehand."""

import socket
from contextlib import suppress

import lockstep
import numpy as np


class BrokenError(Exception):
    """The box ended too early, or its answer is not one."""


def read_answers(talk: socket.socket, questions: bytes, count: int, size: int, noun: str) -> bytes:
    """Send `count` questions and read `size` bytes for each.

    Raises:
        BrokenError: the box ended before its last answer; `noun` names a question in the message.
    """
    answers, wanted = bytearray(), size * count
    with suppress(ConnectionError):  # a box that is dead may have answered some questions before
        talk.sendall(questions)
    with suppress(ConnectionError):
        while part := talk.recv(min(wanted - len(answers), 1 << 20)):
            answers += part
    if len(answers) < wanted:
        raise BrokenError(f"the box ended at {noun} {len(answers) // size} of {count}")
    return bytes(answers)


def read_scores(talk: socket.socket, requests: bytes, count: int) -> list[float]:
    """Send `count` requests and read a finite float32 for each; raise `BrokenError`."""
    scores = np.frombuffer(read_answers(talk, requests, count, 4, "request"), "<f4")
    if (bad := np.flatnonzero(~np.isfinite(scores))).size:
        raise BrokenError(f"request {bad[0]} of {len(scores)} was answered {scores[bad[0]]}, not a finite number")
    return scores.tolist()


def measure_nats(
    talk: socket.socket, symbols: np.ndarray, alphabet: int = lockstep.ALPHABET, counted: np.ndarray | None = None
) -> float:
    """Return the surprise at the symbols that count, in nats, heard in lockstep to the end; raise `BrokenError`."""
    heard = lockstep.listen(talk, symbols, alphabet, counted)
    if heard.broken or heard.steps < symbols.shape[1]:
        raise BrokenError(heard.broken or f"the box ended at step {heard.steps} of {symbols.shape[1]}")
    return heard.nats
