"""The dialogue: everything that is asked, in frames of one length, and answers of a length known beforehand.

The box is told three little-endian uint32: requests, prompts, bytes of a continuation. Then the requests, 66 bytes each
(length, start of the span, 64 bytes of text); it answers each with a float32, the mean log-likelihood of the span. Then
the prompts in the same frames; it answers with the bytes of each continuation. Last come the streams of `lockstep`.
Nothing of a later part is told before an earlier one is answered in full.
"""

import socket
import struct
from contextlib import suppress
from typing import Any

import lockstep
import numpy as np
from items import ANSWER, TEXT

FRAME = np.dtype([("length", "u1"), ("start", "u1"), ("text", "u1", TEXT)])
Request = tuple[str, int]
"""Text, and where its scored span begins."""


class BrokenError(Exception):
    """Where the box ended, or what it said that is no answer."""


def ask(talk: socket.socket, requests: list[Request], prompts: list[Request], streams: np.ndarray) -> dict[str, Any]:
    """Everything that a box has to say; raise `BrokenError`."""
    size = ANSWER
    header = struct.pack("<3I", len(requests), len(prompts), size)
    scores = np.frombuffer(_asked(talk, header, requests, 4, "request"), "<f4")
    if (bad := np.flatnonzero(~np.isfinite(scores))).size:
        raise BrokenError(f"request {bad[0]} of {len(scores)} was answered {scores[bad[0]]}, not a finite number")
    told = _asked(talk, b"", prompts, size, "prompt").decode("latin-1")
    heard = lockstep.listen(talk, streams)
    if heard.broken or heard.steps < streams.shape[1]:
        raise BrokenError(heard.broken or f"the box ended at step {heard.steps} of {streams.shape[1]}")
    continuations = [told[at : at + size] for at in range(0, len(told), size)]
    bpb = lockstep.bits(heard.nats, streams.size)
    return {"scores": scores.tolist(), "continuations": continuations, "bpb": bpb}


def _asked(talk: socket.socket, header: bytes, requests: list[Request], size: int, what: str) -> bytes:
    """`size` bytes of answer to each of them."""
    heard = bytearray()
    with suppress(ConnectionError):  # a box that has gone may have answered a part before
        talk.sendall(header + _frames(requests))
    with suppress(ConnectionError):
        while part := talk.recv(size * len(requests) - len(heard)):
            heard += part
    if len(heard) < size * len(requests):
        raise BrokenError(f"the box ended at {what} {len(heard) // size} of {len(requests)}")
    return bytes(heard)


def _frames(requests: list[Request]) -> bytes:
    frames = np.zeros(len(requests), FRAME)
    for frame, (text, start) in zip(frames, requests, strict=True):
        frame["length"], frame["start"] = len(text), start
        frame["text"][: len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    return frames.tobytes()
