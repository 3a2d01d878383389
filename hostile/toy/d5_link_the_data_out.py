# id: D5
# attack: hard-link a shared inode into /out, to write to it there
# base: predict.py
# expect: crash
# line: OSError
import os
Path("pred.f64").unlink()
os.link("/data/points.txt", "/out/pred.f64")
