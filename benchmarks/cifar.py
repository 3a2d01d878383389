"""Makes images in the format of CIFAR-10's python batches, with a pattern for each class."""

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

PIXELS, CLASSES = 3 * 32 * 32, 10
FILES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


def write(raw: Path, per_batch: int, seed: int = 0) -> dict[str, tuple[bytes, bytes]]:
    """Make six batches and the file SYNTHETIC in `raw`; return labels and planar images of each batch by its name."""
    folder = raw / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    (raw / "SYNTHETIC").touch()
    draw, made = random.Random(seed), dict[str, tuple[bytes, bytes]]()  # noqa: S311 - pictures, no secret
    image = _patterns(draw)
    for name in FILES:
        labels = bytes(draw.randrange(CLASSES) for _ in range(per_batch))
        made[name] = labels, b"".join(map(image, labels))
        (folder / name).write_bytes(encode_batch(*made[name]))
    return made


def _patterns(draw: random.Random) -> Callable[[int], bytes]:
    """Return a function that draws an image of a class: its pattern, shifted cyclically, with noise over it."""
    half = int.from_bytes(b"\x7f" * PIXELS)
    own = [_smooth(draw) for _ in range(CLASSES)]

    def image(label: int) -> bytes:
        at = 3 * draw.randrange(32)
        pattern = int.from_bytes(own[label][at:] + own[label][:at])
        noise = int.from_bytes(draw.randbytes(PIXELS))
        return (((pattern >> 1) & half) + ((noise >> 1) & half)).to_bytes(PIXELS)

    return image


def _smooth(draw: random.Random) -> bytes:
    """Draw squares of 4 pixels, each with its own value in each colour, which a convolution can learn."""
    rows: Iterator[bytes] = (bytes(draw.randrange(256) for _ in range(8)) for _ in range(3 * 8))
    wide = (b"".join(bytes([grey]) * 4 for grey in row) for row in rows)
    return b"".join(row * 4 for row in wide)


def encode_batch(labels: bytes, images: bytes) -> bytes:
    """Encode a batch like the official ones: a pickle of protocol 2 with the strings of Python 2."""
    kind = b"cnumpy\ndtype\n" + _text(b"u1") + b"K\0K\1\x87R(K\3" + _text(b"|") + b"NNN" + 2 * _number(-1) + b"K\0tb"
    shape = _number(len(labels)) + _number(PIXELS) + b"\x86"
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + _text(b"b") + b"\x87R"
    array = made + b"(K\1" + shape + kind + b"\x89" + _text(images) + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    rows = (b"batch_label", _text(b"made, not photographed")), (b"labels", numbers), (b"data", array)
    return b"\x80\2}(" + b"".join(_text(key) + value for key, value in rows) + b"u."


def _text(raw: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(raw)) + raw


def _number(n: int) -> bytes:
    return b"J" + struct.pack("<i", n)
