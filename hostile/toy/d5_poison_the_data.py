# id: D5
# attack: change the shared data for later seeds and trials (hole 11)
# base: predict.py
# expect: honest
import os
for how in ("r+b", "wb", "ab"):
    try:
        open("/data/points.txt", how).write(b"0.0\n" * 128)
    except OSError:
        continue
    raise SystemExit("the data is writable")
for change in (lambda: os.chmod("/data/points.txt", 0o777), lambda: os.unlink("/data/points.txt"),
               lambda: os.rename("/data/points.txt", "/data/x"), lambda: os.truncate("/data/points.txt", 0)):
    try:
        change()
    except OSError:
        continue
    raise SystemExit("the data can be changed")
