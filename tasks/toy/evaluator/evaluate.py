"""A wave under noise: `prepare` draws one per seed, `score` compares predictions with its true values."""

import json
import math
import random
import struct
from pathlib import Path

import verbs

N_TRAIN = 64
N_TEST = 128
NOISE = 0.1  # standard deviation of the noise on training values
AMPLITUDES = (1.0, 0.6, 0.4, 0.3, 0.2)  # of the harmonics 1, 2, 3, ...


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Draw a wave, noisy training points and test points for each seed; true test values go to `secret` only."""
    truth = []
    for i in range(n_seeds):
        rng = random.Random(f"{trial_seed}/{i}")  # noqa: S311 - a secret seed, not a key
        phases = [rng.uniform(0, 2 * math.pi) for _ in AMPLITUDES]
        train, test = spread_points(N_TRAIN, rng), spread_points(N_TEST, rng)
        folder = public / str(i)
        folder.mkdir(parents=True)
        noisy = [f"{x!r} {wave(x, phases) + rng.gauss(0, NOISE)!r}\n" for x in train]
        (folder / "train.txt").write_text("".join(noisy), encoding="ascii")
        (folder / "points.txt").write_text("".join(f"{x!r}\n" for x in test), encoding="ascii")
        truth.append([wave(x, phases) for x in test])
    secret.mkdir(parents=True, exist_ok=True)
    (secret / "truth.json").write_text(json.dumps(truth), encoding="ascii")


def spread_points(n: int, rng: random.Random) -> list[float]:
    """Draw a point in each of `n` equal cells of the period: clumps would only add noise to the score."""
    return [(i + rng.random()) / n * 2 * math.pi for i in range(n)]


def wave(x: float, phases: list[float]) -> float:
    """Return the true value at `x`."""
    return sum(a * math.sin(k * x + p) for k, (a, p) in enumerate(zip(AMPLITUDES, phases, strict=True), 1))


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Measure every seed, or say what is wrong with the first unusable file."""
    errors, worst = [], []
    for i, truth in enumerate(json.loads((secret / "truth.json").read_text("ascii"))):
        try:
            with (sealed / str(i) / "predict" / "pred.f64").open("rb") as file:
                raw = file.read(8 * N_TEST + 1)
        except FileNotFoundError:
            return verbs.fault(i, "pred.f64 is missing")
        if len(raw) != 8 * N_TEST:
            size = f"more than {8 * N_TEST}" if len(raw) > 8 * N_TEST else str(len(raw))
            return verbs.fault(i, f"pred.f64 holds {size} bytes, expected {8 * N_TEST}: {N_TEST} little-endian doubles")
        predicted = struct.unpack(f"<{N_TEST}d", raw)
        for where, value in enumerate(predicted):
            if not abs(value) < 1e100:
                return verbs.fault(i, f"pred.f64 holds {value} at point {where}, expected a finite number below 1e100")
        gaps = [abs(p - t) for p, t in zip(predicted, truth, strict=True)]
        errors.append(math.sqrt(sum(g * g for g in gaps) / N_TEST))
        worst.append(max(gaps))
    return {"metrics": {"error": errors, "worst": worst}}


if __name__ == "__main__":
    verbs.run(prepare, score)
