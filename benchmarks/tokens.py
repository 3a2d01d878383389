"""Makes text in the files that parameter_golf reads: token shards and a sentencepiece model."""

import random
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path

MARK = "\N{LOWER ONE EIGHTH BLOCK}"
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
VOCABULARY = 8192


def model(pieces: Sequence[tuple[str, int]]) -> bytes:
    """Encode a sentencepiece model with these pieces (text and kind) and one other field."""
    whole = b"\x12\x03\x0a\x01x"
    for text, kind in pieces:
        body = b"\x0a" + bytes([len(text.encode())]) + text.encode() + b"\x15" + struct.pack("<f", -1.5)
        body += bytes([0x18, kind]) if kind != NORMAL else b""
        whole += b"\x0a" + bytes([len(body)]) + body
    return whole


def shard(tokens: Sequence[int], magic: int = 20240520, count: int | None = None) -> bytes:
    """Encode a shard of these tokens; `magic` and `count` can make its header wrong."""
    header = [magic, 1, len(tokens) if count is None else count] + [0] * 253
    return struct.pack("<256i", *header) + array("H", tokens).tobytes()


def write(folder: Path, train_tokens: int, val_tokens: int) -> None:
    """Write two train shards (recipes see the first) and one for validation; a token carries 10.5 of its 13 bits."""
    folder.mkdir(parents=True)
    for i in range(2):
        (folder / f"fineweb_train_{i:06d}.bin").write_bytes(shard(_draw(i, train_tokens)))
    (folder / "fineweb_val_000000.bin").write_bytes(shard(_draw(9, val_tokens)))
    names = [("<unk>", UNKNOWN), ("<s>", CONTROL), (MARK, NORMAL), *((f"t{i}", NORMAL) for i in range(3, VOCABULARY))]
    (folder / "made_up.model").write_bytes(model(names))
    (folder / "SYNTHETIC").touch()


def _draw(seed: int, count: int) -> Sequence[int]:
    """Draw tokens whose bits are set one time in four."""
    rng = random.Random(seed)  # noqa: S311 - repeatable numbers
    size = 2 * count
    mask = int.from_bytes(struct.pack("<H", VOCABULARY - 1) * count, "little")
    both = int.from_bytes(rng.randbytes(size), "little") & int.from_bytes(rng.randbytes(size), "little") & mask
    return array("H", both.to_bytes(size, "little"))
