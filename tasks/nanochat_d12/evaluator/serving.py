"""The dialogue with one serving box: requests, prompts, then text in lockstep. Every number is little-endian uint32.

The box is told three numbers: requests, prompts, symbols of the vocabulary. Then of all requests the lengths, of all
the place from which they are scored, and the tokens of all, one after the other; it answers each with a float32, the
mean log-likelihood of the scored tokens. Then of all prompts the lengths, of all how many tokens are to follow, and
their tokens; it answers with what follows, prompt by prompt. Last come the streams of `lockstep`: streams and steps,
which are 0 in all boxes but one. Nothing of a later part is told before an earlier one is answered in full.
"""

import socket
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import box_client
import numpy as np

Question = tuple[np.ndarray, int]
"""Tokens, and what is asked of them: the first that is scored, or how many are to follow."""


class Said(NamedTuple):
    """What a box answered."""

    scores: list[float]
    continuations: list[list[int]]
    nats: float


class Streams(NamedTuple):
    """Text in lockstep: symbols, and which of them count."""

    symbols: np.ndarray
    counted: np.ndarray
    alphabet: int


def ask(talk: socket.socket, requests: list[Question], prompts: list[Question], streams: Streams) -> Said:
    """Everything that a box has to say; raise `box_client.BrokenError`."""
    header = struct.pack("<3I", len(requests), len(prompts), streams.alphabet)
    scores = box_client.scores(talk, header + _frames(requests), len(requests))
    wanted = [count for _, count in prompts]
    heard = box_client.answered(talk, _frames(prompts), sum(wanted), 4, "token")
    told = np.frombuffer(heard, "<u4").tolist()
    ends = np.cumsum([0, *wanted]).tolist()
    continuations = [told[start:end] for start, end in pairwise(ends)]
    nats = box_client.nats(talk, streams.symbols, streams.alphabet, streams.counted)
    return Said(scores, continuations, nats)


def _frames(asked: Sequence[Question]) -> bytes:
    """Lengths, what is asked, and tokens of all."""
    numbers = np.array([(len(tokens), what) for tokens, what in asked], "<u4").reshape(-1, 2)
    return numbers.T.tobytes() + b"".join(tokens.astype("<u4").tobytes() for tokens, _ in asked)
