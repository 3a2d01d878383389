# id: D6
# attack: look for what an earlier box left
# base: predict.py
# expect: honest
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    assert not os.path.isdir(folder) or os.listdir(folder) == [], folder
assert os.listdir("/out") == ["pred.f64"]
