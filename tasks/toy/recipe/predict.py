"""Read model.json and the test points, write pred.f64: one little-endian double per point."""

import json
import os
import struct
from pathlib import Path

from features import row

data, out = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
weights = json.loads((data / "model.json").read_text("ascii"))
points = [float(line) for line in (data / "points.txt").read_text("ascii").splitlines()]
values = [sum(w * f for w, f in zip(weights, row(x), strict=True)) for x in points]
(out / "pred.f64").write_bytes(struct.pack(f"<{len(values)}d", *values))
