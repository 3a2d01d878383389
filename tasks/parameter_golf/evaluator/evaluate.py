"""Bits per byte of the hidden text: asked for chunk by chunk, bytes counted by a table of our own."""

import json
import math
import socket
from pathlib import Path
from typing import NamedTuple

import chunks
import layout
import numpy as np
import pieces
import raw
import seams
import shards
import verbs

CHUNK = 32_768
LEAST_CHUNKS = 8
"""Of a short text, chunks are shorter."""


class Text(NamedTuple):
    """The hidden text."""

    first: int
    """The token before those that are scored."""
    tokens: np.ndarray
    table: np.ndarray

    @property
    def vocabulary(self) -> int:
        return self.table.shape[1]

    def asked(self, secret: str) -> list[seams.Asked]:
        """The chunks, some of them counterfeit."""
        return seams.ask(self.tokens, min(CHUNK, -(-len(self.tokens) // LEAST_CHUNKS)), secret)

    def bytes(self) -> np.ndarray:
        """How many bytes of text each token stands for."""
        return pieces.count(self.table, self.tokens, np.concatenate([[self.first], self.tokens[:-1]]))


def hidden() -> Text:
    """Read it as it was laid out."""
    folder = layout.prepared() / "hidden"
    whole = np.concatenate([shards.read(path) for path in sorted(folder.glob("*.bin"))])
    used = whole[: raw.scored(len(whole)) + 1]
    return Text(int(used[0]), used[1:], np.load(folder / "bytes.npy", allow_pickle=False))


def prepare(secret_seed: int, repeats: int, public: Path, secret: Path) -> None:
    """Give every seed's boxes the train side, and keep which chunks will be counterfeit."""
    for i in range(repeats):
        for path in sorted((layout.prepared() / "train").iterdir()):
            layout.link(path, public / str(i) / "train" / path.name)
        (secret / f"{i}.secret").write_text(f"{secret_seed}/{i}", encoding="utf-8")


def dialogue(seed: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Hear the scorer of one seed; one that knows what it is to predict has broken the rules."""
    text = hidden()
    asked = text.asked((secret / f"{seed}.secret").read_text("utf-8"))
    heard = chunks.listen(talk, asked, text.vocabulary, text.first)
    if heard.broken:
        return verbs.fault(seed, heard.broken)
    if foresight := _foresight(heard.odds, asked, text):
        return verbs.fault(seed, foresight, status="illegal")
    told = {"chunks": [heard.chunks, len(asked)], "nats": math.fsum(heard.nats), **_counts(asked, text)}
    (secret / f"{seed}.heard").write_text(json.dumps(told), encoding="utf-8")
    return None


def _foresight(odds: list[tuple[int, int, float]], asked: list[seams.Asked], text: Text) -> str:
    """What proves that predictions depend on what they predict, or nothing."""
    often = seams.frequencies(text.tokens, text.vocabulary)
    found = [(p / often[asked[n].shown[at]], n, at, p) for n, at, p in odds]
    if not found or (factor := seams.factor([ratio for ratio, *_ in found])) < seams.CAUGHT:
        return ""
    ratio, n, at, p = max(found)
    return (
        f"predictions depend on tokens that they may not see: chunk {n}, token {at} was a random draw of probability "
        f"{p / ratio:.2g}, predicted with {p:.2g}; over {len(found)} draws the odds against chance are {factor:.1g}"
    )


def _counts(asked: list[seams.Asked], text: Text) -> dict[str, int]:
    """Tokens and bytes that count, and tokens that stood behind seams."""
    sizes, at, used, covered = text.bytes(), 0, 0, 0
    for chunk in asked:
        used += int(sizes[at : at + chunk.scored].sum())
        covered += chunk.scored
        at += len(chunk.real)
    return {"tokens": covered, "bytes": used, "unscored": at - covered}


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Bits per byte of every seed, nats per token, and how many tokens stood behind seams."""
    metrics: dict[str, list[float]] = {"bpb": [], "nats_per_token": [], "unscored_tokens": []}
    for i in range(len(list(secret.glob("*.secret")))):
        heard = json.loads((secret / f"{i}.heard").read_text("utf-8"))
        done, of = heard["chunks"]
        if done < of:
            return verbs.fault(i, f"the scorer ended in chunk {done} of {of}")
        metrics["bpb"].append(heard["nats"] / math.log(2) / heard["bytes"])
        metrics["nats_per_token"].append(heard["nats"] / heard["tokens"])
        metrics["unscored_tokens"].append(heard["unscored"])
    return {"metrics": metrics}


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue, raw.made_of)
