"""Predicted classes: one uint8 per test image, compared with labels that only the evaluator knows."""

from pathlib import Path

import numpy as np
import verbs

FILE = "pred.u8"


def measure_accuracy(sealed: Path, phase: str, truth: np.ndarray, classes: int) -> verbs.Report:
    """Return the share of right predictions of every seed, or what is wrong with the first unusable file.

    `truth` has one row of labels (uint8) per seed, in the order in which its box saw the images.
    """
    shares: list[float] = []
    for i, labels in enumerate(truth):
        predicted = _read(sealed / str(i) / phase / FILE, len(labels), classes)
        if isinstance(predicted, str):
            return verbs.fault(i, predicted)
        shares.append(int((predicted == labels).sum()) / len(labels))
    return {"metrics": {"accuracy": shares}}


def _read(path: Path, images: int, classes: int) -> np.ndarray | str:
    """Read the predictions of one seed, or return why they can't be used."""
    try:
        with path.open("rb") as file:
            raw = file.read(images + 1)
    except FileNotFoundError:
        return f"{FILE} is missing"
    if len(raw) != images:
        size = f"more than {images}" if len(raw) > images else str(len(raw))
        return f"{FILE} holds {size} bytes, expected {images}: one uint8 class per test image"
    predicted = np.frombuffer(raw, np.uint8)
    if predicted.max() >= classes:
        where = int(predicted.argmax())
        return f"{FILE} holds class {predicted[where]} at image {where}, expected 0 to {classes - 1}"
    return predicted
