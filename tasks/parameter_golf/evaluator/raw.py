"""What a user brings: token shards and the tokenizer that made them, checked and laid out."""

import sys
from pathlib import Path

import causality_probe
import held_out
import layout
import numpy as np
import pieces
import shards

VOCABULARY = 8192
SCORED = 40_540_160
"""Tokens of the real validation text (the first 50,000 documents) that whole windows of 2,048 can score."""
WINDOW = 2048
CHUNK = 32_768
LEAST_CHUNKS = 8
"""Of a short text, chunks are shorter."""
_GET = (
    "in upstream's clone, where there is a network: MATCHED_FINEWEB_REPO_ID=kevclark/parameter-golf "
    "python data/cached_challenge_fineweb.py --variant sp8192 --train-shards 128; then --data data"
)


def made_of(raw: Path) -> list[layout.Piece]:
    """Every file to make of what lies below `raw`; raise `layout.MissingError` where that is not what is needed."""
    trains, vals = _shards(raw, "train"), _shards(raw, "val")
    (model,) = _only(raw, "*.model", "tokenizer")
    counts = {path: shards.count(path) for path in (*trains, *vals)}
    table = pieces.table(model)
    vocabulary = table.shape[1]
    made_up = (raw / "SYNTHETIC").is_file()
    if not made_up:
        _check_real(vocabulary, scored(sum(counts[path] for path in vals)))
    if scored(sum(counts[path] for path in vals)) < WINDOW:
        raise layout.MissingError(f"the validation shards below {raw} fill no window of {WINDOW:,} tokens: {_GET}")
    *shown, kept = trains
    _check_kept(kept, counts[kept], scored(sum(counts[path] for path in vals)), others=len(shown))
    found = [_shard(path, f"train/{path.name}", vocabulary) for path in shown]
    found.append(_shard(kept, f"hidden/{kept.name}", vocabulary))
    found += [_shard(path, f"hidden/{path.name}", vocabulary) for path in vals]
    found.append(layout.Piece("train/tokenizer.model", model.stat().st_size, lambda path: layout.link(model, path)))
    found.append(layout.Piece("hidden/bytes.npy", table.nbytes, lambda path: _save(path, table)))
    if made_up:
        found.append(layout.Piece("hidden/SYNTHETIC", 0, lambda path: path.write_bytes(b"") and None))
    return found


def scored(tokens: int) -> int:
    """How many of a text's tokens are scored: all but the first, as far as they fill windows."""
    return (tokens - 1) // WINDOW * WINDOW


def chunk(tokens: int) -> int:
    """How long the chunks of a text are."""
    return min(CHUNK, -(-tokens // LEAST_CHUNKS))


def _check_kept(kept: Path, tokens: int, text: int, *, others: int) -> None:
    """Counterfeits are made of the last train shard, which no box sees: it must be enough, and not the only one."""
    if not others:
        raise layout.MissingError(
            f"{kept} is the only train shard, two are needed: the last is kept from boxes, for counterfeits; {_GET}"
        )
    needed = held_out.SPARE * causality_probe.most(text, chunk(text))
    if tokens < needed:
        raise layout.MissingError(
            f"{kept} has {tokens:,} tokens, counterfeits need {needed:,}: it is the last train shard, kept from boxes "
            f"for them; bring a longer one, or leave it out where the one before it is long enough; {_GET}"
        )


def _check_real(vocabulary: int, tokens: int) -> None:
    wrong = [
        f"{what} {found:,}, not {wanted:,}"
        for what, found, wanted in (
            ("tokens in the vocabulary", vocabulary, VOCABULARY),
            ("validation tokens to score", tokens, SCORED),
        )
        if found != wanted
    ]
    if wrong:
        raise layout.MissingError(
            f"{'; '.join(wrong)}: this is not the challenge's text in the pinned recipe's tokens; {_GET}. "
            "For a test with data of your own put an empty file SYNTHETIC beside them"
        )


def _shards(raw: Path, side: str) -> list[Path]:
    return _only(raw, f"fineweb_{side}_*.bin", f"{side} shards", several=True)


def _only(raw: Path, pattern: str, what: str, *, several: bool = False) -> list[Path]:
    """The files of this name, in one folder; where there are more kinds of them, those of the real vocabulary."""
    found = sorted(path for path in raw.rglob(pattern) if path.is_file())
    if not found:
        raise layout.MissingError(f"no {what} ({pattern}) below {raw}: {_GET}")
    for some in (found, [path for path in found if str(VOCABULARY) in str(path.relative_to(raw))]):
        if len({path.parent for path in some}) == 1 and (several or len(some) == 1):
            if len(some) < len(found):
                sys.stderr.write(f"data      {what}: those in {some[0].parent}; others below {raw} are left out\n")
            return some
    raise layout.MissingError(
        f"more than one kind of {what} below {raw}, such as {found[0]} and {found[-1]}: name a folder with one of them"
    )


def _shard(source: Path, name: str, vocabulary: int) -> layout.Piece:
    def make(path: Path) -> None:
        shards.check(source, vocabulary)
        layout.link(source, path)

    return layout.Piece(name, source.stat().st_size, make)


def _save(path: Path, table: np.ndarray) -> None:
    with path.open("wb") as stream:
        np.save(stream, table)
