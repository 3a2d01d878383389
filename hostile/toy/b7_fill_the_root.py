# id: B7
# attack: write to the root and to /dev, which bubblewrap leaves writable by default
# base: predict.py
# expect: honest
import os
for path in ("/x", "/etc/x", "/dev/x", "/usr/x", "/proc/x", "/recipe/x", "/dev/pts/x"):
    try:
        open(path, "w")
    except OSError:
        continue
    raise SystemExit(f"{path} is writable")
