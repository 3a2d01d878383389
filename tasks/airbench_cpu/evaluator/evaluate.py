"""Distorted digits under a secret split: `prepare` deals train and test per seed, `score` counts right answers."""

import gzip
import hashlib
import importlib.util
import sys
from pathlib import Path

import labels
import numpy as np
import verbs

DIGITS_SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
N_TEST = 600
N_CLASSES = 10
SIDE = 8
WARP = 0.15
SHIFT = 0.7  # with WARP, keeps every sampled point within the margin of `distort`
NOISE = 0.05


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Read the 8x8 images (0 to 16) and labels that scikit-learn ships, without its slow import."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        sys.exit("the evaluator's interpreter lacks scikit-learn, whose digits are the data: install it there")
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        sys.exit(f"{path} does not exist: this scikit-learn lacks the digits; install another release")
    packed = path.read_bytes()
    if (digest := hashlib.sha256(packed).hexdigest()) != DIGITS_SHA256:
        sys.exit(f"{path} has sha256 {digest}, expected {DIGITS_SHA256}: scores on other data are not comparable")
    rows = np.loadtxt(gzip.decompress(packed).decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)
    return rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1]


def distort(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Redraw every image (0 to 16) under its own affine map with noise, as bytes (0 to 255).

    No image may be recognisable by its bytes. Each entry of the 2x2 matrix is off by up to WARP, the
    centre by up to SHIFT pixels in each direction, and each pixel by NOISE (sd) of the full range.
    """
    n, margin, centre = len(images), 3, (SIDE - 1) / 2
    axis = np.arange(SIDE) - centre
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(2, -1)
    matrix = np.eye(2) + rng.uniform(-WARP, WARP, (n, 2, 2))
    at = matrix @ grid + rng.uniform(-SHIFT, SHIFT, (n, 2, 1)) + centre + margin
    low = np.floor(at).astype(int)
    padded = np.pad(images / 16, ((0, 0), (margin, margin), (margin, margin)))
    drawn = rng.normal(0, NOISE, (n, SIDE * SIDE))
    for corner in np.ndindex(2, 2):
        cell = low + np.array(corner)[:, None]
        weight = np.prod(1 - np.abs(cell - at), axis=1)
        drawn += weight * padded[np.arange(n)[:, None], cell[:, 0], cell[:, 1]]
    return np.rint(drawn.clip(0, 1) * 255).astype(np.uint8).reshape(images.shape)


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Deal fresh distortions, a split and a label permutation for each seed; test labels go to `secret` only."""
    originals, classes = load_digits()
    truth = np.empty((n_seeds, N_TEST), np.uint8)
    for i in range(n_seeds):
        rng = np.random.default_rng([trial_seed, i])
        order, relabel = rng.permutation(len(classes)), rng.permutation(N_CLASSES).astype(np.uint8)
        test, train = order[:N_TEST], order[N_TEST:]
        images = distort(originals, rng)
        folder = public / str(i)
        folder.mkdir(parents=True)
        np.save(folder / "train_x.npy", images[train])
        np.save(folder / "train_y.npy", relabel[classes[train]])
        np.save(folder / "test_x.npy", images[test])
        truth[i] = relabel[classes[test]]
    secret.mkdir(parents=True, exist_ok=True)
    np.save(secret / "truth.npy", truth)


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Count the right predictions of every seed, or say what is wrong with the first unusable file."""
    return labels.measure_accuracy(sealed, "predict", np.load(secret / "truth.npy", allow_pickle=False), N_CLASSES)


if __name__ == "__main__":
    verbs.run(prepare, score)
