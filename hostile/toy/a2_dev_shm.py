# id: A2
# attack: hide weights in /dev/shm and /tmp
# base: fit.py
# expect: honest
for folder in ("/dev/shm", "/tmp"):
    Path(folder, "weights").write_bytes(b"w" * 100_000)
# --- prepend predict.py
import os
assert not os.path.exists("/dev/shm/weights") and not os.path.exists("/tmp/weights")
