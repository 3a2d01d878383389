"""Chunks: a scorer scores every token of a chunk from the tokens before it, then may learn from the chunk.

All numbers are little-endian uint32 unless noted. The scorer first gets five: the vocabulary, the tokens of a chunk,
the rows of a block, the tokens in all, and the token before the first. It answers with its format of scores
(0: float32, 1: float16, 2: bfloat16) and gets one byte with the descriptor of memory that it shares with the listener:
a row for each token of a chunk, a score for each token of the vocabulary. Then come requests, each a kind and a count
of tokens, then the tokens as uint16:

- SCORE: write row i as the scores of token i, which may depend only on the tokens before it, and send the number of
  each block of rows once it is written. Blocks may come in any order. A block that was sent belongs to the listener.
- ADAPT: these are the true tokens of the chunk. Their scores are final, so the scorer may learn from them.
- END.

Some chunks are requested twice, one of the two with a counterfeit end (`causality_probe`); ADAPT sends the real one. A
block is copied to private memory before anything of it is read, and the listener sends nothing more before that, so no
score can change after it was sent. The listener turns each row into a distribution.
"""

import fcntl
import mmap
import os
import socket
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from threading import Semaphore

import log_softmax
import numpy as np
from causality_probe import Chunk

SCORE, ADAPT, END = 1, 2, 3
BLOCK = 1024
"""The most rows of a block: 16 MiB of scores of half precision at 8,192 tokens."""
_KEEP_SIZE = 0x0002 | 0x0004
"""F_SEAL_SHRINK | F_SEAL_GROW: a scorer can't remove memory that is being read."""
_ADD_SEALS = 1033
_Parts = list[Future[np.ndarray]]
"""The blocks of an answer while they are reduced."""


class _BrokenError(Exception):
    """The scorer broke the protocol."""


@dataclass
class Heard:
    """What a scorer answered until its end."""

    chunks: int = 0
    """Chunks that it answered completely."""
    nats: list[float] = field(default_factory=list)
    """Surprise at those real tokens of each that count."""
    odds: list[tuple[int, int, float]] = field(default_factory=list)
    """Chunk, token and probability of every token behind a seam."""
    gaps: list[tuple[float, float, int, int]] = field(default_factory=list)
    """For two answers to one past: the largest and the mean difference in nats, and chunk and token of the largest."""
    broken: str = ""


def listen(talk: socket.socket, chunks: list[Chunk], vocabulary: int, first: int) -> Heard:
    """Listen to a scorer over all chunks, until it ends, or until it breaks the protocol."""
    heard = Heard()
    longest = max(len(chunk.real) for chunk in chunks)
    workers = len(os.sched_getaffinity(0))
    with suppress(BrokenPipeError, ConnectionResetError, EOFError), ThreadPoolExecutor(workers) as pool:
        try:
            tokens = sum(len(chunk.real) for chunk in chunks)
            talk.sendall(struct.pack("<5I", vocabulary, longest, min(BLOCK, longest), tokens, first))
            listener = _Listener(talk, _read_number(talk), longest, vocabulary, pool)
            with closing(listener):
                listener.run(chunks, heard)
        except _BrokenError as error:
            heard.broken = str(error)
    return heard


class _Listener:
    """The shared memory, and the rows that are still being reduced."""

    def __init__(self, talk: socket.socket, code: int, rows: int, vocabulary: int, pool: ThreadPoolExecutor) -> None:
        if code >= len(log_softmax.FORMATS):
            raise _BrokenError(f"its format of scores is {code}; 0, 1 and 2 are known")
        self._talk, self._code, self._block, self._pool = talk, code, min(BLOCK, rows), pool
        self._copied = Semaphore(0)
        kind = np.dtype(log_softmax.FORMATS[code])
        memory = os.memfd_create("scores", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            os.ftruncate(memory, rows * vocabulary * kind.itemsize)
            fcntl.fcntl(memory, _ADD_SEALS, _KEEP_SIZE)
            self._map = mmap.mmap(memory, 0, prot=mmap.PROT_READ)
            socket.send_fds(talk, [b"\0"], [memory])
        finally:
            os.close(memory)
        self._rows = np.frombuffer(self._map, kind).reshape(rows, vocabulary)

    def close(self) -> None:
        del self._rows
        with suppress(BufferError):
            self._map.close()

    def run(self, chunks: list[Chunk], heard: Heard) -> None:
        """Ask for one chunk after the other; a chunk is reduced while the scorer learns from it."""
        previous: tuple[int, Chunk, list[_Parts]] | None = None
        for n, chunk in enumerate(chunks):
            answers = [self._ask(n, chunk, shown) for shown in chunk.requests]
            if previous:
                _note(*previous, heard)
            previous = n, chunk, answers
            if n + 1 < len(chunks):
                self._send(ADAPT, chunk.real)
        if previous:
            _note(*previous, heard)
        self._send(END, np.empty(0))

    def _ask(self, n: int, chunk: Chunk, shown: np.ndarray) -> _Parts:
        """Have one chunk scored; return its blocks in order, copied, while they are reduced."""
        self._send(SCORE, shown)
        blocks = -(-len(shown) // self._block)
        parts: dict[int, Future[np.ndarray]] = {}
        while len(parts) < blocks:
            block = _read_number(self._talk)
            if block >= blocks or block in parts:
                raise _BrokenError(f"chunk {n}: sent block {block}, " + ("again" if block in parts else f"of {blocks}"))
            parts[block] = self._pool.submit(self._reduce, chunk.wanted, block * self._block)
        for _ in range(blocks):
            self._copied.acquire()
        return [parts[block] for block in range(blocks)]

    def _reduce(self, wanted: np.ndarray, at: int) -> np.ndarray:
        block = self._rows[at : min(at + self._block, len(wanted))].copy()
        self._copied.release()
        return log_softmax.surprise(block, self._code, wanted[at : at + len(block)])

    def _send(self, kind: int, tokens: np.ndarray) -> None:
        self._talk.sendall(struct.pack("<2I", kind, len(tokens)) + tokens.astype("<u2").tobytes())


def _note(n: int, chunk: Chunk, answers: list[_Parts], heard: Heard) -> None:
    """Add a chunk's surprise, and what its counterfeit shows; raise if a score is not finite."""
    tables = [_collect(n, parts) for parts in answers]
    heard.chunks = n + 1
    heard.nats.append(float(tables[0][: chunk.counted, 0].sum()))
    if chunk.seams:
        fake = tables[0 if chunk.fake_first else 1]
        heard.odds += [(n, at, float(np.exp(-fake[at, 1]))) for at in chunk.seams]
        gaps = np.abs(tables[0] - tables[1])[: chunk.seams[0] + 1].max(1)
        heard.gaps.append((float(gaps.max()), float(gaps.mean()), n, int(gaps.argmax())))


def _collect(n: int, parts: _Parts) -> np.ndarray:
    """Return the nats of each token of an answer."""
    blocks: list[np.ndarray] = []
    for part in parts:
        try:
            blocks.append(part.result())
        except log_softmax.UnscorableError as error:
            raise _BrokenError(f"chunk {n}, token {sum(map(len, blocks)) + error.row}: {error}") from None
    return np.concatenate(blocks)


def _read_number(talk: socket.socket) -> int:
    raw = talk.recv(4, socket.MSG_WAITALL)
    if len(raw) < 4:
        raise EOFError
    return int(struct.unpack("<I", raw)[0])
