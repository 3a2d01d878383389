# id: S2
# attack: write the "authoritative" timing files (hole 7)
# prepend: train.py
# expect: honest
from pathlib import Path as P
for name in ("train_start", "train_end", "seconds.json", "measurement.json"):
    P(name).write_text('{"seconds": 0.001, "metrics": {"accuracy": [0.99]}}')
