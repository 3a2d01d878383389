"""Honest and cheating scorers for parameter_golf: the recipe's end of the dialogue, on a tiny vocabulary."""

import mmap
import os
import socket
import struct
from array import array
from collections.abc import Callable, Iterator

from benchmarks.tokens import BYTE, CONTROL, MARK, NORMAL, UNKNOWN, UNUSED, USER

SPECIAL = [
    ("<unk>", UNKNOWN),
    ("<s>", CONTROL),
    ("odd", UNUSED),
    ("<0x41>", BYTE),
    (MARK, NORMAL),
    (MARK + "user", USER),
]
PIECES = [
    *SPECIAL,
    *((text, NORMAL) for text in (MARK + "the", "the", "é", MARK + "é", MARK * 2, *"abcdefghijklmnopqrstu")),
]
VOCABULARY = len(PIECES)
SCORED = 4096
LONG = 8 * SCORED
"""Tokens of a text whose counterfeits have pieces long enough to recognise."""
GRAM = 20
"""Tokens that appear together once in such a text."""
SCORE, ADAPT, END = 1, 2, 3


class Scorer:
    """The recipe's end of the dialogue; `row` makes the scores of a chunk's token from what it was shown."""

    def __init__(self, row: Callable[[list[int], int], bytes], code: int = 0, size: int = 4) -> None:
        self.row, self.code, self.size = row, code, size
        self.learned: list[int] = []

    def __call__(self, talk: socket.socket) -> None:
        vocabulary, longest, self.block, total, first = struct.unpack("<5I", talk.recv(20, socket.MSG_WAITALL))
        assert vocabulary == VOCABULARY
        assert total in {SCORED, LONG}
        self.learned.append(first)
        talk.sendall(struct.pack("<I", self.code))
        _, (memory,), _, _ = socket.recv_fds(talk, 1, 1)
        with mmap.mmap(memory, longest * vocabulary * self.size) as rows:
            os.close(memory)
            while True:
                kind, count = struct.unpack("<2I", talk.recv(8, socket.MSG_WAITALL))
                tokens = list(array("H", talk.recv(2 * count, socket.MSG_WAITALL) if count else b""))
                if kind == END:
                    return
                if kind == ADAPT:
                    self.learned += tokens
                else:
                    rows[: count * vocabulary * self.size] = self.answer([*self.learned[-1:], *tokens])
                    self.tell(talk, -(-count // self.block))

    def answer(self, known: list[int]) -> bytes:
        return b"".join(self.row(known, i) for i in range(len(known) - 1))

    def tell(self, talk: socket.socket, blocks: int) -> None:
        for block in reversed(range(blocks)):
            talk.sendall(struct.pack("<I", block))


def floats(*scores: float) -> bytes:
    return struct.pack(f"<{VOCABULARY}f", *scores)


def by_last(known: list[int], i: int) -> bytes:
    """Scores that depend on the last token alone."""
    return ROWS[known[i]]


ROWS = [
    floats(*(2.5 if s == (last * 5 + 3) % VOCABULARY else 0.01 * s for s in range(VOCABULARY)))
    for last in range(VOCABULARY)
]


def peeking(known: list[int], i: int) -> bytes:
    """Scores that know the token to be predicted."""
    return floats(*(3.0 if s == known[i + 1] else 0.0 for s in range(VOCABULARY)))


def reading_on(known: list[int], i: int) -> bytes:
    """Scores that know the token after the one to be predicted."""
    guess = (known[min(i + 2, len(known) - 1)] - 3) * pow(5, -1, VOCABULARY) % VOCABULARY
    return floats(*(3.0 if s == guess else 0.0 for s in range(VOCABULARY)))


def leaning(known: list[int], i: int) -> bytes:
    """Scores that lean towards the chunk's tokens, like those of a net that has learned from it."""
    return floats(*(0.002 * known.count(s) for s in range(VOCABULARY)))


class Remembering(Scorer):
    """Repeats its first answer as far as both chunks are the same."""

    def __init__(self, row: Callable[[list[int], int], bytes]) -> None:
        super().__init__(row)
        self.asked: list[int] = []
        self.answered = b""

    def answer(self, known: list[int]) -> bytes:
        answer, width = super().answer(known), 4 * VOCABULARY
        same = next((i for i, pair in enumerate(zip(known, self.asked, strict=False)) if pair[0] != pair[1]), 0)
        answer = self.answered[: same * width] + answer[same * width :]
        self.asked, self.answered = known, answer
        return answer


def grams(tokens: list[int]) -> Iterator[tuple[int, ...]]:
    return zip(*(tokens[i:] for i in range(GRAM)), strict=False)


class Recognising(Remembering):
    """Looks ahead, except in chunks that seem counterfeit because they repeat themselves or earlier text."""

    def __init__(self) -> None:
        super().__init__(peeking)
        self.honest = 0

    def answer(self, known: list[int]) -> bytes:
        told, mine = set(grams(self.learned)), list(grams(known))
        repeats = sum(gram in told for gram in mine) + len(mine) - len(set(mine))
        self.row = by_last if repeats >= GRAM else peeking
        self.honest += self.row is by_last
        return super().answer(known)


class Caching(Scorer):
    """Expects what followed the last tokens earlier: in the revealed text, or in everything shown."""

    def __init__(self, *, shown: bool) -> None:
        super().__init__(self.cached)
        self.shown, self.pending, self.followed = shown, [], {}
        self.done = 0

    pending: list[list[int]]
    followed: dict[tuple[int, ...], int]

    def answer(self, known: list[int]) -> bytes:
        # What SCORE shows is taken up after the next ADAPT: two answers to one past must be the same.
        if len(self.learned) > self.done:
            for tokens in [*self.pending, self.learned[max(0, self.done - GRAM) :]]:
                self.followed.update(zip(grams(tokens), tokens[GRAM:], strict=False))
            self.done, self.pending = len(self.learned), []
        if self.shown:
            self.pending.append(known)
        return super().answer(known)

    def cached(self, known: list[int], i: int) -> bytes:
        token = self.followed.get(tuple(known[i + 1 - GRAM : i + 1]))
        return ROWS[known[i]] if token is None else floats(*(9.0 if s == token else 0.0 for s in range(VOCABULARY)))


class Sloppy(Scorer):
    """Sends these numbers instead of its blocks'."""

    def __init__(self, *numbers: int, code: int = 0) -> None:
        super().__init__(by_last, code)
        self.numbers = numbers

    def tell(self, talk: socket.socket, blocks: int) -> None:
        talk.sendall(struct.pack(f"<{len(self.numbers)}I", *self.numbers))
        talk.shutdown(socket.SHUT_RDWR)


class Leaving(Scorer):
    """Ends after some chunks."""

    def tell(self, talk: socket.socket, blocks: int) -> None:
        super().tell(talk, blocks)
        if len(self.learned) > SCORED // 2:
            talk.shutdown(socket.SHUT_RDWR)


def strange(value: float) -> Callable[[list[int], int], bytes]:
    """One score of one token has this value."""

    def row(known: list[int], i: int) -> bytes:
        return floats(*(value if (s, i) == (9, 130) else 0.0 for s in range(VOCABULARY)))

    return row
