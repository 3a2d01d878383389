"""Bits per byte of the hidden text: requested chunk by chunk, with bytes counted by our own table."""

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
    """The token before the scored ones."""
    tokens: np.ndarray
    table: np.ndarray

    @property
    def vocabulary(self) -> int:
        return self.table.shape[1]

    def forge(self, secret: str) -> list[causality_probe.Counterfeit]:
        """Forge some chunks, from pieces of the train shard that no box sees."""
        (kept,) = (layout.open_prepared() / "hidden").glob("fineweb_train_*.bin")
        return causality_probe.forge(self.tokens, raw.chunk_length(len(self.tokens)), shards.read(kept), secret)

    def deal_chunks(self, kept: Path) -> list[causality_probe.Chunk]:
        """Return the chunks, some with a counterfeit, as `prepare` forged them."""
        rows = json.loads(kept.read_text("utf-8"))
        forged = [causality_probe.Counterfeit(**row | {"seams": tuple(row["seams"])}) for row in rows]
        return causality_probe.deal(self.tokens, raw.chunk_length(len(self.tokens)), forged)

    def count_bytes(self) -> np.ndarray:
        """Return how many bytes of text each token stands for."""
        return pieces.count_bytes(self.table, self.tokens, np.concatenate([[self.first], self.tokens[:-1]]))


def read_hidden() -> Text:
    """Read the hidden text as it was laid out."""
    folder = layout.open_prepared() / "hidden"
    whole = np.concatenate([shards.read(path) for path in sorted(folder.glob("fineweb_val_*.bin"))])
    used = whole[: raw.count_scored(len(whole)) + 1]
    return Text(int(used[0]), used[1:], np.load(folder / "bytes.npy", allow_pickle=False))


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Give every seed's boxes the train side, and forge chunks here, so that it takes none of their clock."""
    text = read_hidden()
    for i in range(n_seeds):
        for path in sorted((layout.open_prepared() / "train").iterdir()):
            layout.link(path, public / str(i) / "train" / path.name)
        forged = [asdict(counterfeit) for counterfeit in text.forge(f"{trial_seed}/{i}")]
        (secret / f"{i}.forged").write_text(json.dumps(forged), encoding="utf-8")


def dialogue(_phase: str, seed: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Listen to the scorer of one seed; a scorer that knows what it has to predict breaks the rules."""
    text = read_hidden()
    dealt = text.deal_chunks(secret / f"{seed}.forged")
    heard = chunks.listen(talk, dealt, text.vocabulary, text.first)
    if heard.broken:
        return verbs.fault(seed, heard.broken)
    if proof := _find_difference(heard.gaps) or _find_foresight(heard.odds, dealt, text):
        return verbs.fault(seed, f"predictions depend on tokens that they may not see: {proof}", status="illegal")
    summary = {"chunks": [heard.chunks, len(dealt)], "nats": math.fsum(heard.nats), **_count_tokens(dealt, text)}
    (secret / f"{seed}.heard").write_text(json.dumps(summary), encoding="utf-8")
    return None


def _find_difference(gaps: list[tuple[float, float, int, int]]) -> str:
    """Explain how two answers to one past differ; return nothing if they agree."""
    most, mean, n, at = max(
        gaps, key=lambda gap: max(gap[0] / causality_probe.MOST, gap[1] / causality_probe.MEAN), default=(0, 0, 0, 0)
    )
    if most <= causality_probe.MOST and mean <= causality_probe.MEAN:
        return ""
    return (
        f"chunk {n}, token {at} differed by {most:.2g} nats, and all before it by {mean:.2g} in the mean, when only "
        f"the tokens after it changed; allowed are {causality_probe.MOST} and {causality_probe.MEAN}"
    )


def _find_foresight(odds: list[tuple[int, int, float]], dealt: list[causality_probe.Chunk], text: Text) -> str:
    """Explain what proves that random draws were known; return nothing if they were not."""
    often = causality_probe.measure_frequencies(text.tokens, text.vocabulary)
    draws = [(p / often[dealt[n].wanted[at, 1]], n, at, p) for n, at, p in odds]
    if not draws or (factor := causality_probe.bet([ratio for ratio, *_ in draws])) < causality_probe.CAUGHT:
        return ""
    ratio, n, at, p = max(draws)
    return (
        f"chunk {n}, token {at} was a random draw of probability {p / ratio:.2g}, predicted with {p:.2g}; over "
        f"{len(draws)} draws the odds against chance are {factor:.1g}"
    )


def _count_tokens(dealt: list[causality_probe.Chunk], text: Text) -> dict[str, int]:
    """Count the tokens and bytes that count, and the tokens behind a cut."""
    sizes, at, used, covered = text.count_bytes(), 0, 0, 0
    for chunk in dealt:
        used += int(sizes[at : at + chunk.counted].sum())
        covered += chunk.counted
        at += len(chunk.real)
    return {"tokens": covered, "bytes": used, "unscored": at - covered}


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Return bits per byte and nats per token of every seed, and how many tokens were behind seams."""
    metrics: dict[str, list[float]] = {"bpb": [], "nats_per_token": [], "unscored_tokens": []}
    for i in range(len(list(secret.glob("*.forged")))):
        heard = json.loads((secret / f"{i}.heard").read_text("utf-8"))
        done, total = heard["chunks"]
        if done < total:
            return verbs.fault(i, f"the scorer ended in chunk {done} of {total}")
        metrics["bpb"].append(heard["nats"] / math.log(2) / heard["bytes"])
        metrics["nats_per_token"].append(heard["nats"] / heard["tokens"])
        metrics["unscored_tokens"].append(heard["unscored"])
    return {"metrics": metrics}


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue, raw.list_pieces)
