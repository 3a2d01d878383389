"""The evaluator: `prepare` makes the data of a trial, `score` measures what the recipe left.

It runs outside every box, and no recipe ever sees it. Everything random in `prepare` derives from the secret seed.
"""

import json
import math
import random
from pathlib import Path

import verbs

N_TRAIN = 300
N_TEST = 100
NOISE = 0.3  # standard deviation of the noise on the examples' values


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Write each seed's examples and test points to `public`, and the true values to `secret` only."""
    truth = []
    for i in range(n_seeds):
        rng = random.Random(f"{trial_seed}/{i}")  # noqa: S311 - a secret seed, not a key
        phase = rng.uniform(0, 2 * math.pi)
        train, test = draw_points(rng, N_TRAIN), draw_points(rng, N_TEST)
        folder = public / str(i)
        folder.mkdir()
        examples = [f"{x!r} {y!r} {value(x, y, phase) + rng.gauss(0, NOISE)!r}\n" for x, y in train]
        (folder / "train.txt").write_text("".join(examples), encoding="ascii")
        (folder / "points.txt").write_text("".join(f"{x!r} {y!r}\n" for x, y in test), encoding="ascii")
        truth.append([value(x, y, phase) for x, y in test])
    (secret / "truth.json").write_text(json.dumps(truth), encoding="ascii")


def draw_points(rng: random.Random, n: int) -> list[tuple[float, float]]:
    """Draw `n` points in the unit square."""
    return [(rng.random(), rng.random()) for _ in range(n)]


def value(x: float, y: float, phase: float) -> float:
    """Return the true value at a point."""
    return math.sin(4 * x + phase) + math.cos(7 * y)


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Measure every seed, or say what is wrong with the first unusable artifact; an adversary wrote its bytes."""
    errors, worst = [], []
    for i, truth in enumerate(json.loads((secret / "truth.json").read_text("ascii"))):
        raw = (sealed / str(i) / "train" / "pred.txt").read_bytes()
        try:
            predicted = [float(line) for line in raw.decode("ascii").splitlines()]
        except ValueError:
            return verbs.fault(i, "pred.txt must hold one number per line")
        if len(predicted) != N_TEST:
            return verbs.fault(i, f"pred.txt holds {len(predicted)} numbers, expected {N_TEST}")
        if not all(abs(p) < 1e100 for p in predicted):
            return verbs.fault(i, "pred.txt holds a number that is not finite or not below 1e100")
        gaps = [abs(p - t) for p, t in zip(predicted, truth, strict=True)]
        errors.append(math.sqrt(sum(g * g for g in gaps) / N_TEST))
        worst.append(max(gaps))
    return {"metrics": {"error": errors, "worst": worst}}


if __name__ == "__main__":
    verbs.run(prepare, score)
