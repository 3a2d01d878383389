# id: D6
# attack: look for what an earlier box left
# base: predict.py
# expect: honest
import os, pathlib, sys
lead = {*pathlib.Path(sys.executable).parents, *pathlib.Path(sys.base_prefix).parents}
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    left = set(pathlib.Path(folder).iterdir()) - lead if os.path.isdir(folder) else set()
    assert not left, left
assert os.listdir("/out") == ["pred.f64"]
