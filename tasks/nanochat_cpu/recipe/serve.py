"""Answer the evaluator's requests with the trained net; it says what is right to nobody.

First three little-endian uint32: requests, prompts, bytes of a continuation. Then frames of 66 bytes: length, start of
the span, 64 bytes of text. A request is answered by the mean log-likelihood of its span, a float32; a prompt by the
bytes that follow it. Last two more uint32, streams and steps: at every step 128 float32 log-odds for each stream,
before its next symbol is told.
"""

import os
import socket
import struct

import numpy as np
import torch
from model import CONTEXT, DATA, SYMBOLS, load
from torch import Tensor

ROWS = 128  # [sys] requests in one pass of the net; 16 to 512
FRAME = np.dtype([("length", "u1"), ("start", "u1"), ("text", "u1", 64)])

torch.set_grad_enabled(False)
talk = socket.socket(fileno=int(os.environ["ESPALIER_DIALOGUE"]))


def hear(size: int) -> bytes:
    """Exactly that many bytes."""
    heard = talk.recv(size, socket.MSG_WAITALL)
    if len(heard) < size:
        raise EOFError("the evaluator ended")
    return heard


def frames(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Text, length and start of the span of every request."""
    heard = np.frombuffer(hear(count * FRAME.itemsize), FRAME)
    return tuple(torch.from_numpy(heard[name].astype(np.int64)) for name in ("text", "length", "start"))


def scores(text: Tensor, length: Tensor, start: Tensor) -> Tensor:
    """Mean log-likelihood of text[start:length] after text[:start]."""
    longest = int(length.max())
    said = net(text[:, : longest - 1]).log_softmax(-1).gather(2, text[:, 1:longest, None])[:, :, 0]
    place = torch.arange(1, longest)
    inside = (place >= start[:, None]) & (place < length[:, None])
    return (said * inside).sum(1) / inside.sum(1)


def continuations(text: Tensor, length: Tensor, n: int) -> Tensor:
    """The n most likely symbols after text[:length], one after the other."""
    row, text = torch.arange(len(text)), torch.cat([text, torch.zeros(len(text), n, dtype=torch.long)], 1)
    for at in range(n):
        end = length + at
        window = (end - CONTEXT).clamp(min=0)[:, None] + torch.arange(min(CONTEXT, int(end.max())))
        text[row, end] = net(text.gather(1, window))[row, end.clamp(max=CONTEXT) - 1].argmax(1)
    return text[row[:, None], length[:, None] + torch.arange(n)]


control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()  # "GO <seed>": the model is there and the clock runs
net = load(DATA / "model.bin")
n_requests, n_prompts, n_bytes = struct.unpack("<3I", hear(12))
asked = zip(*(column.split(ROWS) for column in frames(n_requests)), strict=True)
talk.sendall(torch.cat([scores(*rows) for rows in asked]).float().numpy().tobytes())
text, length, _ = frames(n_prompts)
told = [continuations(t, n, n_bytes) for t, n in zip(text.split(ROWS), length.split(ROWS), strict=True)]
talk.sendall(torch.cat(told).byte().numpy().tobytes())
n_streams, n_steps = struct.unpack("<2I", hear(8))
known, odds = torch.zeros(n_streams, 0, dtype=torch.long), torch.zeros(n_streams, SYMBOLS)
for step in range(n_steps):
    talk.sendall(odds.numpy().tobytes())
    if step + 1 < n_steps:
        symbols = torch.from_numpy(np.frombuffer(hear(n_streams), np.uint8).astype(np.int64))
        known = torch.cat([known, symbols[:, None]], 1)[:, -CONTEXT:]
        odds = net(known)[:, -1].contiguous()
os._exit(0)  # skips the interpreter's teardown
