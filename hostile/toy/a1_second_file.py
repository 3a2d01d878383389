# id: A1
# attack: hide weights in a second file beside the artifact (the released code misses it)
# base: fit.py
# expect: honest
Path("weights.bin").write_bytes(b"w" * 100_000)
Path("model.json.bak").write_bytes(b"w" * 100_000)
# --- prepend predict.py
import os
assert sorted(os.listdir("/data")) == ["model.json", "points.txt"]
