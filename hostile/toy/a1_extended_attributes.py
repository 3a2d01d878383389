# id: A1
# attack: hide weights in extended attributes, modes and times of the artifact
# base: fit.py
# expect: honest
try:
    os.setxattr("model.json", "user.weights", b"w" * 1000)
except OSError:
    pass
os.utime("model.json", (123456789, 987654321))
os.chmod("model.json", 0o751)
# --- base predict.py
import os
assert os.listxattr("/data/model.json") == []
assert int(os.stat("/data/model.json").st_mtime) != 987654321
assert os.stat("/data/model.json").st_mode & 0o777 == 0o444
