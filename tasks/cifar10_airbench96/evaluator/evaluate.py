"""CIFAR-10 under secret class numbers: `prepare` deals numbers and an order per seed, `score` counts right answers."""

from functools import partial
from pathlib import Path

import batches
import labels
import layout
import numpy as np
import verbs

TEST = "test_batch"


def data(raw: Path) -> list[layout.Piece]:
    """List the four arrays to make of the batches: images and labels of the train side and of the hidden side."""
    folder = batches.find(raw)
    if not (synthetic := any((parent / "SYNTHETIC").is_file() for parent in (raw, folder))):
        batches.check(folder)
    train_x, train_y = batches.read(folder, *(name for name in batches.MD5 if name != TEST))
    test_x, test_y = batches.read(folder, TEST)
    pieces = [
        _piece("train/train_x.npy", train_x),
        _piece("train/train_y.npy", train_y),
        _piece("hidden/test_x.npy", test_x),
        _piece("hidden/test_y.npy", test_y),
    ]
    mark = layout.Piece(
        name="SYNTHETIC", bytes=0, make=Path.touch
    )  # part of the digest, so no score on it passes for one on CIFAR-10
    return [*pieces, mark] if synthetic else pieces


def _piece(name: str, array: np.ndarray) -> layout.Piece:
    return layout.Piece(name=name, bytes=128 + array.nbytes, make=partial(_save, array=array))


def _save(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:  # given a name, numpy would append a suffix
        np.save(file, array)


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Renumber the classes and shuffle the test images for each seed; the test labels go to `secret` only."""
    data_folder = layout.open_prepared()
    train_y = np.load(data_folder / "train" / "train_y.npy", allow_pickle=False)
    test_x = np.load(data_folder / "hidden" / "test_x.npy", allow_pickle=False)
    test_y = np.load(data_folder / "hidden" / "test_y.npy", allow_pickle=False)
    truth = np.empty((n_seeds, len(test_y)), np.uint8)
    for i in range(n_seeds):
        rng = np.random.default_rng([trial_seed, i])
        relabel, order = rng.permutation(batches.CLASSES).astype(np.uint8), rng.permutation(len(test_y))
        folder = public / str(i)
        folder.mkdir(parents=True)
        layout.link(data_folder / "train" / "train_x.npy", folder / "train_x.npy")
        np.save(folder / "train_y.npy", relabel[train_y])
        np.save(folder / "test_x.npy", test_x[order])
        truth[i] = relabel[test_y[order]]
    secret.mkdir(parents=True, exist_ok=True)
    np.save(secret / "truth.npy", truth)


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Count the right predictions of every seed, or say what is wrong with the first unusable file."""
    return labels.measure_accuracy(sealed, "train", np.load(secret / "truth.npy", allow_pickle=False), batches.CLASSES)


if __name__ == "__main__":
    verbs.run(prepare, score, data=data)
