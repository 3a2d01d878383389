"""A wave under noise: `prepare` draws one per seed, `score` compares predictions with its true values."""

import argparse
import json
import math
import random
import struct
from pathlib import Path

N_TRAIN = 64
N_TEST = 128
NOISE = 0.1  # standard deviation of what is added to training values
AMPLITUDES = (1.0, 0.6, 0.4, 0.3, 0.2)  # of the harmonics 1, 2, 3, ...


def prepare(secret_seed: int, repeats: int, public: Path, secret: Path) -> None:
    """Draw a wave, noisy training points and test points for each seed; true test values go to `secret` only."""
    truth = []
    for i in range(repeats):
        rng = random.Random(f"{secret_seed}/{i}")  # noqa: S311 - a secret seed, not a key
        phases = [rng.uniform(0, 2 * math.pi) for _ in AMPLITUDES]
        train, test = spread(N_TRAIN, rng), spread(N_TEST, rng)
        folder = public / str(i)
        folder.mkdir(parents=True)
        noisy = [f"{x!r} {wave(x, phases) + rng.gauss(0, NOISE)!r}\n" for x in train]
        (folder / "train.txt").write_text("".join(noisy), encoding="ascii")
        (folder / "points.txt").write_text("".join(f"{x!r}\n" for x in test), encoding="ascii")
        truth.append([wave(x, phases) for x in test])
    secret.mkdir(parents=True, exist_ok=True)
    (secret / "truth.json").write_text(json.dumps(truth), encoding="ascii")


def spread(n: int, rng: random.Random) -> list[float]:
    """One random point in each of `n` equal cells of the period: clumps would only add noise to the score."""
    return [(i + rng.random()) / n * 2 * math.pi for i in range(n)]


def wave(x: float, phases: list[float]) -> float:
    """The true value at `x`."""
    return sum(a * math.sin(k * x + p) for k, (a, p) in enumerate(zip(AMPLITUDES, phases, strict=True), 1))


def score(sealed: Path, secret: Path) -> dict[str, object]:
    """Measure every seed, or say what is wrong with the first unusable file."""
    errors, worst = [], []
    for i, truth in enumerate(json.loads((secret / "truth.json").read_text("ascii"))):
        try:
            with (sealed / str(i) / "predict" / "pred.f64").open("rb") as file:
                raw = file.read(8 * N_TEST + 1)
        except FileNotFoundError:
            return fault(i, "pred.f64 is missing")
        if len(raw) != 8 * N_TEST:
            size = f"more than {8 * N_TEST}" if len(raw) > 8 * N_TEST else str(len(raw))
            return fault(i, f"pred.f64 holds {size} bytes, expected {8 * N_TEST}: {N_TEST} little-endian doubles")
        predicted = struct.unpack(f"<{N_TEST}d", raw)
        for where, value in enumerate(predicted):
            if not abs(value) < 1e100:
                return fault(i, f"pred.f64 holds {value} at point {where}, expected a finite number below 1e100")
        gaps = [abs(p - t) for p, t in zip(predicted, truth, strict=True)]
        errors.append(math.sqrt(sum(g * g for g in gaps) / N_TEST))
        worst.append(max(gaps))
    return {"metrics": {"error": errors, "worst": worst}}


def fault(seed: int, line: str) -> dict[str, object]:
    """A measurement that says why there is no score."""
    return {"fault": {"status": "crash", "line": line, "seed": seed}}


def main() -> None:
    """Run one verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    preparing = verbs.add_parser("prepare")
    preparing.add_argument("--seed", type=int, required=True)
    preparing.add_argument("--repeats", type=int, required=True)
    preparing.add_argument("public", type=Path)
    preparing.add_argument("secret", type=Path)
    scoring = verbs.add_parser("score")
    scoring.add_argument("sealed", type=Path)
    scoring.add_argument("secret", type=Path)
    given = parser.parse_args()
    if given.verb == "prepare":
        prepare(given.seed, given.repeats, given.public, given.secret)
    else:
        Path("measurement.json").write_text(json.dumps(score(given.sealed, given.secret)), encoding="utf-8")


if __name__ == "__main__":
    main()
