"""The dialogue with one serving box: requests, prompts, then text in lockstep. Every number is little-endian uint32.

The box gets three numbers: of requests, of prompts, of symbols in the vocabulary. Then come the lengths of all
requests, the places from which they are scored, and all their tokens; it answers each with a float32, the mean log-
likelihood of the scored tokens. Then come the lengths of all prompts, the numbers of tokens that are to follow, and
all their tokens; it answers with what follows, prompt by prompt. Last come the streams of `lockstep`, of which all
boxes but one get 0 streams and 0 steps. No part is sent before the earlier one is completely answered.
"""

import socket
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import box_client
import numpy as np

Question = tuple[np.ndarray, int]
"""Tokens, and the first that is scored or how many are to follow."""


class Answers(NamedTuple):
    """What a box answered."""

    scores: list[float]
    continuations: list[list[int]]
    nats: float


class Streams(NamedTuple):
    """Text in lockstep: symbols, and which of them count."""

    symbols: np.ndarray
    counted: np.ndarray
    alphabet: int


def ask(talk: socket.socket, requests: list[Question], prompts: list[Question], streams: Streams) -> Answers:
    """Ask a box everything and return its answers; raise `box_client.BrokenError`."""
    header = struct.pack("<3I", len(requests), len(prompts), streams.alphabet)
    scores = box_client.read_scores(talk, header + _pack_questions(requests), len(requests))
    wanted = [count for _, count in prompts]
    raw = box_client.read_answers(talk, _pack_questions(prompts), sum(wanted), 4, "token")
    symbols = np.frombuffer(raw, "<u4").tolist()
    ends = np.cumsum([0, *wanted]).tolist()
    continuations = [symbols[start:end] for start, end in pairwise(ends)]
    nats = box_client.measure_nats(talk, streams.symbols, streams.alphabet, streams.counted)
    return Answers(scores, continuations, nats)


def _pack_questions(questions: Sequence[Question]) -> bytes:
    """Pack the lengths, the numbers and the tokens of all questions."""
    numbers = np.array([(len(tokens), number) for tokens, number in questions], "<u4").reshape(-1, 2)
    return numbers.T.tobytes() + b"".join(tokens.astype("<u4").tobytes() for tokens, _ in questions)
