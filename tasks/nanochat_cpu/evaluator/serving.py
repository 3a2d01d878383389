"""The dialogue: everything that is asked, in frames of one length, and answers of a length known beforehand.

The box is told three little-endian uint32: requests, prompts, bytes of a continuation. Then the requests, 66 bytes each
(length, start of the span, 64 bytes of text); it answers each with a float32, the mean log-likelihood of the span. Then
the prompts in the same frames; it answers with the bytes of each continuation. Last come the streams of `lockstep`.
Nothing of a later part is told before an earlier one is answered in full.
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
"""Text, and where its scored span begins."""


def ask(talk: socket.socket, requests: list[Request], prompts: list[Request], streams: np.ndarray) -> dict[str, Any]:
    """Everything that a box has to say; raise `box_client.BrokenError`."""
    header = struct.pack("<3I", len(requests), len(prompts), ANSWER)
    scores = box_client.scores(talk, header + _frames(requests), len(requests))
    told = box_client.answered(talk, _frames(prompts), len(prompts), ANSWER, "prompt").decode("latin-1")
    nats = box_client.nats(talk, streams)
    continuations = [told[at : at + ANSWER] for at in range(0, len(told), ANSWER)]
    return {"scores": scores, "continuations": continuations, "bpb": lockstep.bits(nats, streams.size)}


def _frames(requests: list[Request]) -> bytes:
    frames = np.zeros(len(requests), FRAME)
    for frame, (text, start) in zip(frames, requests, strict=True):
        frame["length"], frame["start"] = len(text), start
        frame["text"][: len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    return frames.tobytes()
