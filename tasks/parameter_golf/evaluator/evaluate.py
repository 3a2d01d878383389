"""Bits per byte of the hidden text: asked for chunk by chunk, bytes counted by a table of our own."""

import json
import math
import socket
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import causality_probe
import chunks
import layout
import numpy as np
import pieces
import raw
import shards
import verbs


class Text(NamedTuple):
    """The hidden text."""

    first: int
    """The token before those that are scored."""
    tokens: np.ndarray
    table: np.ndarray

    @property
    def vocabulary(self) -> int:
        return self.table.shape[1]

    def forged(self, secret: str) -> list[causality_probe.Counterfeit]:
        """Counterfeits of some chunks, in pieces of the train shard that is kept back."""
        (kept,) = (layout.prepared() / "hidden").glob("fineweb_train_*.bin")
        return causality_probe.forge(self.tokens, raw.chunk(len(self.tokens)), shards.read(kept), secret)

    def chunks(self, kept: Path) -> list[causality_probe.Chunk]:
        """The chunks, some with a counterfeit, as they were kept."""
        rows = json.loads(kept.read_text("utf-8"))
        forged = [causality_probe.Counterfeit(**row | {"seams": tuple(row["seams"])}) for row in rows]
        return causality_probe.deal(self.tokens, raw.chunk(len(self.tokens)), forged)

    def bytes(self) -> np.ndarray:
        """How many bytes of text each token stands for."""
        return pieces.count(self.table, self.tokens, np.concatenate([[self.first], self.tokens[:-1]]))


def hidden() -> Text:
    """Read it as it was laid out."""
    folder = layout.prepared() / "hidden"
    whole = np.concatenate([shards.read(path) for path in sorted(folder.glob("fineweb_val_*.bin"))])
    used = whole[: raw.scored(len(whole)) + 1]
    return Text(int(used[0]), used[1:], np.load(folder / "bytes.npy", allow_pickle=False))


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Give every seed's boxes the train side, and the counterfeits to us: choosing takes none of their clock."""
    text = hidden()
    for i in range(n_seeds):
        for path in sorted((layout.prepared() / "train").iterdir()):
            layout.link(path, public / str(i) / "train" / path.name)
        forged = [asdict(one) for one in text.forged(f"{trial_seed}/{i}")]
        (secret / f"{i}.forged").write_text(json.dumps(forged), encoding="utf-8")


def dialogue(_phase: str, seed: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Hear the scorer of one seed; one that knows what it is to predict has broken the rules."""
    text = hidden()
    asked = text.chunks(secret / f"{seed}.forged")
    heard = chunks.listen(talk, asked, text.vocabulary, text.first)
    if heard.broken:
        return verbs.fault(seed, heard.broken)
    if found := _uneven(heard.gaps) or _foresight(heard.odds, asked, text):
        return verbs.fault(seed, f"predictions depend on tokens that they may not see: {found}", status="illegal")
    told = {"chunks": [heard.chunks, len(asked)], "nats": math.fsum(heard.nats), **_counts(asked, text)}
    (secret / f"{seed}.heard").write_text(json.dumps(told), encoding="utf-8")
    return None


def _uneven(gaps: list[tuple[float, float, int, int]]) -> str:
    """What two answers to one past differ in, or nothing."""
    most, mean, n, at = max(
        gaps, key=lambda gap: max(gap[0] / causality_probe.MOST, gap[1] / causality_probe.MEAN), default=(0, 0, 0, 0)
    )
    if most <= causality_probe.MOST and mean <= causality_probe.MEAN:
        return ""
    return (
        f"chunk {n}, token {at} differed by {most:.2g} nats, and all before it by {mean:.2g} in the mean, when only "
        f"what follows was another; allowed are {causality_probe.MOST} and {causality_probe.MEAN}"
    )


def _foresight(odds: list[tuple[int, int, float]], asked: list[causality_probe.Chunk], text: Text) -> str:
    """What proves that random draws were known, or nothing."""
    often = causality_probe.frequencies(text.tokens, text.vocabulary)
    found = [(p / often[asked[n].wanted[at, 1]], n, at, p) for n, at, p in odds]
    if not found or (factor := causality_probe.factor([ratio for ratio, *_ in found])) < causality_probe.CAUGHT:
        return ""
    ratio, n, at, p = max(found)
    return (
        f"chunk {n}, token {at} was a random draw of probability {p / ratio:.2g}, predicted with {p:.2g}; over "
        f"{len(found)} draws the odds against chance are {factor:.1g}"
    )


def _counts(asked: list[causality_probe.Chunk], text: Text) -> dict[str, int]:
    """Tokens and bytes that count, and tokens that stood behind a cut."""
    sizes, at, used, covered = text.bytes(), 0, 0, 0
    for chunk in asked:
        used += int(sizes[at : at + chunk.counted].sum())
        covered += chunk.counted
        at += len(chunk.real)
    return {"tokens": covered, "bytes": used, "unscored": at - covered}


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Bits per byte of every seed, nats per token, and how many tokens stood behind seams."""
    metrics: dict[str, list[float]] = {"bpb": [], "nats_per_token": [], "unscored_tokens": []}
    for i in range(len(list(secret.glob("*.forged")))):
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
