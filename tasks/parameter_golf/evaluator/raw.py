"""The user's data: token shards and the tokenizer that made them, checked and laid out."""

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
"""A short text has shorter chunks."""
_GET = (
    "in upstream's clone, where there is a network: MATCHED_FINEWEB_REPO_ID=kevclark/parameter-golf "
    "python data/cached_challenge_fineweb.py --variant sp8192 --train-shards 128; then --data data"
)


def list_pieces(raw: Path) -> list[layout.Piece]:
    """Check the data and list all files to make of them; raise `layout.MissingError`."""
    trains, vals = _find_shards(raw, "train"), _find_shards(raw, "val")
    (model,) = _find_only(raw, "*.model", "tokenizer")
    counts = {path: shards.count_tokens(path) for path in (*trains, *vals)}
    table = pieces.read_table(model)
    vocabulary = table.shape[1]
    synthetic = (raw / "SYNTHETIC").is_file()
    if not synthetic:
        _check_real(vocabulary, count_scored(sum(counts[path] for path in vals)))
    if count_scored(sum(counts[path] for path in vals)) < WINDOW:
        raise layout.MissingError(f"the validation shards below {raw} fill no window of {WINDOW:,} tokens: {_GET}")
    *shown, kept = trains
    _check_kept(kept, counts[kept], count_scored(sum(counts[path] for path in vals)), others=len(shown))
    listed = [_make_shard(path, f"train/{path.name}", vocabulary) for path in shown]
    listed.append(_make_shard(kept, f"hidden/{kept.name}", vocabulary))
    listed += [_make_shard(path, f"hidden/{path.name}", vocabulary) for path in vals]
    listed.append(layout.Piece("train/tokenizer.model", model.stat().st_size, lambda path: layout.link(model, path)))
    listed.append(layout.Piece("hidden/bytes.npy", table.nbytes, lambda path: _save(path, table)))
    if synthetic:
        listed.append(layout.Piece("hidden/SYNTHETIC", 0, lambda path: path.write_bytes(b"") and None))
    return listed


def count_scored(tokens: int) -> int:
    """Return how many of a text's tokens are scored: all but the first, as far as they fill windows."""
    return (tokens - 1) // WINDOW * WINDOW


def chunk_length(tokens: int) -> int:
    """Return how long the chunks of a text are."""
    return min(CHUNK, -(-tokens // LEAST_CHUNKS))


def _check_kept(kept: Path, tokens: int, text: int, *, others: int) -> None:
    """Check the last train shard, which no box sees: it must be long enough for counterfeits, and not the only one."""
    if not others:
        raise layout.MissingError(
            f"{kept} is the only train shard, two are needed: the last is kept from boxes, for counterfeits; {_GET}"
        )
    needed = held_out.SPARE * causality_probe.count_forged_tokens(text, chunk_length(text))
    if tokens < needed:
        raise layout.MissingError(
            f"{kept} has {tokens:,} tokens, counterfeits need {needed:,}: it is the last train shard, kept from boxes "
            f"for them; bring a longer one, or leave it out if the one before it is long enough; {_GET}"
        )


def _check_real(vocabulary: int, tokens: int) -> None:
    wrong = [
        f"{noun} {number:,}, not {wanted:,}"
        for noun, number, wanted in (
            ("tokens in the vocabulary", vocabulary, VOCABULARY),
            ("validation tokens to score", tokens, SCORED),
        )
        if number != wanted
    ]
    if wrong:
        raise layout.MissingError(
            f"{'; '.join(wrong)}: this is not the challenge's text in the pinned recipe's tokens; {_GET}. "
            "For a test with data of your own put an empty file SYNTHETIC beside them"
        )


def _find_shards(raw: Path, side: str) -> list[Path]:
    return _find_only(raw, f"fineweb_{side}_*.bin", f"{side} shards", several=True)


def _find_only(raw: Path, pattern: str, what: str, *, several: bool = False) -> list[Path]:
    """Find the files of this name in one folder; of several kinds, take those of the real vocabulary."""
    files = sorted(path for path in raw.rglob(pattern) if path.is_file())
    if not files:
        raise layout.MissingError(f"no {what} ({pattern}) below {raw}: {_GET}")
    for some in (files, [path for path in files if str(VOCABULARY) in str(path.relative_to(raw))]):
        if len({path.parent for path in some}) == 1 and (several or len(some) == 1):
            if len(some) < len(files):
                sys.stderr.write(f"data      {what}: those in {some[0].parent}; others below {raw} are left out\n")
            return some
    raise layout.MissingError(
        f"more than one kind of {what} below {raw}, such as {files[0]} and {files[-1]}: name a folder with one of them"
    )


def _make_shard(source: Path, name: str, vocabulary: int) -> layout.Piece:
    def make(path: Path) -> None:
        shards.check(source, vocabulary)
        layout.link(source, path)

    return layout.Piece(name, source.stat().st_size, make)


def _save(path: Path, table: np.ndarray) -> None:
    with path.open("wb") as stream:
        np.save(stream, table)
