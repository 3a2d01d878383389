"""Token shards: 256 little-endian int32 (magic, version, count of tokens), then the tokens as uint16."""

from pathlib import Path

import numpy as np
from layout import MissingError

MAGIC, VERSION = 20240520, 1
HEADER_BYTES = 1024


def count_tokens(path: Path) -> int:
    """Return the number of tokens of a shard; raise `MissingError` if header and size disagree."""
    header = np.fromfile(path, "<i4", 3)
    if len(header) < 3 or (header[0], header[1]) != (MAGIC, VERSION):
        raise MissingError(f"{path} is not a token shard: it begins with {header[:2].tolist()}, not {[MAGIC, VERSION]}")
    tokens, size = int(header[2]), path.stat().st_size
    if size != HEADER_BYTES + 2 * tokens:
        raise MissingError(f"{path} has {size} bytes, its header's {tokens} tokens need {HEADER_BYTES + 2 * tokens}")
    return tokens


def read(path: Path) -> np.ndarray:
    """Map the tokens of a shard from disk."""
    return np.memmap(path, "<u2", "r", HEADER_BYTES, (count_tokens(path),))


def check(path: Path, vocabulary: int) -> None:
    """Raise `MissingError` if a token is not in the vocabulary."""
    tokens = read(path)
    if len(tokens) and (largest := int(tokens.max())) >= vocabulary:
        at = int((tokens == largest).argmax())
        raise MissingError(
            f"{path}: token {at} is {largest}, the tokenizer has {vocabulary}: another tokenizer's shard"
        )
