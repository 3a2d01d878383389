"""Pair potentials: `prepare` draws points and charges, `score` checks a secret sample of the sums."""

import json
import math
import random
import struct
from pathlib import Path

import verbs

N = 8_000  # points per seed
CHECKED = 60  # points whose sum is computed here; which ones is secret until the trial is recorded
SOFT = 1e-4  # as in kernel.c

Point = tuple[float, float, float, float]


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Write each seed's points to `public`, and the true potential at the checked points to `secret`."""
    truth = []
    for i in range(n_seeds):
        rng = random.Random(f"{trial_seed}/{i}")  # noqa: S311 - a secret seed, not a key
        points = [(rng.random(), rng.random(), rng.random(), rng.uniform(0.5, 1.5)) for _ in range(N)]
        (public / str(i)).mkdir()
        (public / str(i) / "points.f64").write_bytes(b"".join(struct.pack("<4d", *point) for point in points))
        truth.append([(place, potential(points, points[place])) for place in sorted(rng.sample(range(N), CHECKED))])
    (secret / "truth.json").write_text(json.dumps(truth), encoding="ascii")


def potential(points: list[Point], at: Point) -> float:
    """Return the true value at a point, by a sum without rounding errors."""
    x, y, z, _ = at
    return math.fsum(c / math.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - d) ** 2 + SOFT) for a, b, d, c in points)


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Return the largest relative error of every seed, or what is wrong with the first unusable file."""
    errors = []
    for i, truth in enumerate(json.loads((secret / "truth.json").read_text("ascii"))):
        raw = (sealed / str(i) / "run" / "potential.f64").read_bytes()
        if len(raw) != 8 * N:
            return verbs.fault(i, f"potential.f64 holds {len(raw)} bytes, expected {8 * N}: {N} little-endian doubles")
        values = struct.unpack(f"<{N}d", raw)
        if bad := [place for place in range(N) if not abs(values[place]) < 1e100]:
            return verbs.fault(i, f"potential.f64 holds {values[bad[0]]} at point {bad[0]}, expected a finite number")
        errors.append(max(abs(values[place] - true) / true for place, true in truth))
    return {"metrics": {"error": errors}}


if __name__ == "__main__":
    verbs.run(prepare, score)
