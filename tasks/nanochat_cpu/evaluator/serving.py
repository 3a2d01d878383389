"""The dialogue: questions in frames of one length, and answers of a length known beforehand.

The box gets three little-endian uint32: the numbers of requests and of prompts, and the bytes of a continuation. Then
come the requests, 66 bytes each (length, start of the span, 64 bytes of text); it answers each with a float32, the mean
log-likelihood of the span. Then come the prompts in the same frames; it answers with the bytes of each continuation.
Last come the streams of `lockstep`. No part is sent before the earlier one is completely answered.
"""

import socket
import struct
from typing import Any

import box_client
import lockstep
import numpy as np
from items import ANSWER, TEXT

FRAME = np.dtype([("length", "u1"), ("start", "u1"), ("text", "u1", TEXT)])
Request = tuple[str, int]
"""A text, and where its scored span begins."""


def ask(talk: socket.socket, requests: list[Request], prompts: list[Request], streams: np.ndarray) -> dict[str, Any]:
    """Ask a box everything; return its scores, continuations and bits per byte. Raise `box_client.BrokenError`."""
    header = struct.pack("<3I", len(requests), len(prompts), ANSWER)
    scores = box_client.read_scores(talk, header + _pack_frames(requests), len(requests))
    answers = box_client.read_answers(talk, _pack_frames(prompts), len(prompts), ANSWER, "prompt").decode("latin-1")
    nats = box_client.measure_nats(talk, streams)
    continuations = [answers[at : at + ANSWER] for at in range(0, len(answers), ANSWER)]
    return {"scores": scores, "continuations": continuations, "bpb": lockstep.to_bits(nats, streams.size)}


def _pack_frames(requests: list[Request]) -> bytes:
    frames = np.zeros(len(requests), FRAME)
    for frame, (text, start) in zip(frames, requests, strict=True):
        frame["length"], frame["start"] = len(text), start
        frame["text"][: len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    return frames.tobytes()
