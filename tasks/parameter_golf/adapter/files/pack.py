"""Compress what training left into model.bin: no data, no training, no loss."""

import os
from pathlib import Path

import train_gpt as up

DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
packed = up._compress((DATA / "quantised.pt").read_bytes(), up.Hyperparameters.compressor)
(OUT / "model.bin").write_bytes(packed)
print(f"{len(packed):,} bytes of weights")
os._exit(0)
