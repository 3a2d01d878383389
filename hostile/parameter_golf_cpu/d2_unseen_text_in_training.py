# id: D2
# attack: train on whatever text lies beside the training text
# prepend: train.py
# expect: honest
# set: train.py STEPS = 60
import pathlib, sys
_write = pathlib.Path.write_bytes
def late(path, body):
    found = [p for root in ("/data", "/out", "/tmp", "/dev/shm", "/recipe") for p in pathlib.Path(root).rglob("*")]
    found = [p for p in found if p.is_file() and not p.is_relative_to(sys.prefix)]
    if wrong := [p for p in found if p.name != "train.txt" and p.suffix not in {".py", ".pyc"}]:
        raise RuntimeError(f"found {wrong}")
    return _write(path, body)
pathlib.Path.write_bytes = late
