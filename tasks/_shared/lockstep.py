"""Lockstep: a scorer sends its scores of every stream's next symbol before it learns that symbol.

It first gets the numbers of streams and steps (two little-endian uint32). For each step it sends one float32 per stream
and symbol of the alphabet, stream by stream. Then it gets the true symbols, one number per stream, as wide as in the
evaluator's array; those of the last step are not sent. The evaluator turns any finite numbers into a distribution, in
float64: the mass of every step is 1.
"""

import math
import socket
import struct
from dataclasses import dataclass

import numpy as np

ALPHABET = 128


@dataclass(frozen=True)
class Heard:
    """What a scorer answered until its end."""

    steps: int
    """Steps that it answered completely."""
    nats: float
    """Surprise at the true symbols that count, summed over streams and steps."""
    broken: str = ""
    """How it broke the protocol."""


def split_streams(text: bytes, streams: int, steps: int) -> tuple[np.ndarray, int]:
    """Return the text as `streams` rows of `steps` symbols, and how many bytes at its end are dropped."""
    used = streams * steps
    assert len(text) >= used, f"{len(text)} bytes of text, {used} needed"
    return np.frombuffer(text[:used], np.uint8).reshape(streams, steps), len(text) - used


def listen(
    talk: socket.socket, symbols: np.ndarray, alphabet: int = ALPHABET, counted: np.ndarray | None = None
) -> Heard:
    """Listen to a scorer over all steps, until it ends, or until it sends a number that is not finite.

    `symbols` has the shape (streams, steps). `counted`, of the same shape, marks those whose surprise counts; None
    counts all of them.
    """
    streams, steps = symbols.shape
    counts = np.ones(symbols.shape, bool) if counted is None else counted
    raw, step, nats = bytearray(streams * alphabet * 4), 0, 0.0
    try:
        talk.sendall(struct.pack("<II", streams, steps))
        for step in range(steps):
            if talk.recv_into(raw, len(raw), socket.MSG_WAITALL) < len(raw):
                return Heard(step, nats)
            scores = np.frombuffer(raw, "<f4").reshape(streams, alphabet)
            if not np.isfinite(scores).all():
                stream, symbol = np.argwhere(~np.isfinite(scores))[0]
                value = scores[stream, symbol]
                return Heard(step, nats, f"stream {stream}, step {step}: scored symbol {symbol} {value}, not finite")
            now = counts[:, step]
            nats += surprise(scores[now], symbols[now, step])
            if step + 1 < steps:
                talk.sendall(symbols[:, step].tobytes())
    except (BrokenPipeError, ConnectionResetError):
        return Heard(step, nats)
    return Heard(steps, nats)


def surprise(scores: np.ndarray, true: np.ndarray) -> float:
    """Sum the nats of the true symbols under the softmax of each row of scores."""
    z = scores.astype(np.float64)
    z -= z.max(1, keepdims=True)
    return float(np.log(np.exp(z).sum(1)).sum() - z[np.arange(len(z)), true].sum())


def to_bits(nats: float, symbols: int) -> float:
    """Convert a sum of nats to bits per symbol."""
    return nats / symbols / math.log(2)
