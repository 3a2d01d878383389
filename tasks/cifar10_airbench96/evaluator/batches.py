"""CIFAR-10's python batches: pickles from the user, read without running anything in them."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import layout
import numpy as np

FOLDER = "cifar-10-batches-py"
SIDE, CHANNELS, CLASSES = 32, 3, 10
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
GET = f"get cifar-10-python.tar.gz from www.cs.toronto.edu/~kriz/cifar.html and unpack it; its folder is {FOLDER}"


class _Array:
    """An array as a pickle describes it: only its bytes are taken, and the pickle itself builds nothing of numpy's."""

    def __init__(self, *_: object) -> None:
        self._shape: tuple[int, ...] = ()
        self._raw, self._column_first = b"", False

    @classmethod
    def of(cls, raw: Any, kind: "_Kind", shape: tuple[int, ...], order: str = "C") -> "_Array":
        """Make one whose bytes are stored apart, as in newer pickles."""
        array = cls()
        array.__setstate__((1, shape, kind, order == "F", bytes(raw)))
        return array

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self._shape, kind, self._column_first, self._raw = state
        if (
            not isinstance(kind, _Kind)
            or kind.code not in {"u1", b"u1", "|u1", b"|u1"}
            or not isinstance(self._raw, bytes)
        ):
            raise ValueError("it holds an array whose values are not bytes")

    def read(self) -> np.ndarray:
        """Return its bytes in its shape."""
        return np.frombuffer(self._raw, np.uint8).reshape(self._shape, order="F" if self._column_first else "C")


class _Kind:
    """A dtype as a pickle describes it."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        pass


_WRONG = (pickle.UnpicklingError, AttributeError, EOFError, LookupError, OverflowError, TypeError, ValueError)
"""What reading a file that is not a batch may raise."""
_NUMPY = {"ndarray": _Array, "dtype": _Kind, "_reconstruct": _Array, "_frombuffer": _Array.of}


class _Reader(pickle.Unpickler):
    """Reads plain values and the parts of arrays; it refuses any other name before looking it up."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in _NUMPY:
            return _NUMPY[name]
        if (module, name) == ("_codecs", "encode"):
            return lambda text, _: text.encode("latin-1")
        raise pickle.UnpicklingError(f"it names {module}.{name}, which a batch of images does not need")


def find(raw: Path) -> Path:
    """Return the folder of the batches, `raw` or the one in it; `layout.MissingError` names every missing file."""
    folder = raw / FOLDER if (raw / FOLDER).is_dir() else raw
    if missing := [name for name in MD5 if not (folder / name).is_file()]:
        raise layout.MissingError(f"{folder} lacks {', '.join(missing)}: {GET}")
    return folder


def check(folder: Path) -> None:
    """Compare every batch with the official one; `layout.MissingError` names the first that differs."""
    for name, expected in MD5.items():
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if digest != expected:
            raise layout.MissingError(
                f"{folder / name} has md5 {digest}, the official one has {expected}: {GET}; "
                "put a file SYNTHETIC beside images that are not CIFAR-10"
            )


def read(folder: Path, *names: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images (N x 32 x 32 x 3, uint8, red green blue) and labels (N, uint8) of these batches, in order."""
    parts = [_read_batch(folder / name) for name in names]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def _read_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as file:
            batch = _Reader(file, encoding="bytes").load()
        rows, listed = batch[b"data"].read(), batch[b"labels"]
        labels = listed.read() if isinstance(listed, _Array) else np.array([_check_integer(label) for label in listed])
        if rows.shape != (len(labels), CHANNELS * SIDE * SIDE):
            raise ValueError(f"its images have the shape {rows.shape} for {len(labels)} labels")
        if not ((labels >= 0) & (labels < CLASSES)).all():
            raise ValueError(f"its labels are not all integers from 0 to {CLASSES - 1}")
    except _WRONG as error:
        raise layout.MissingError(f"{path} is not a batch of CIFAR-10 ({error}): {GET}") from None
    planes = rows.reshape(-1, CHANNELS, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels.astype(np.uint8)


def _check_integer(label: object) -> int:
    if not isinstance(label, int):
        raise TypeError(f"its label {str(label)[:40]} is not an integer")
    return label
