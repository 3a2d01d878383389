# id: A6
# attack: a device as the artifact
# base: fit.py
# expect: crash
# line: PermissionError
Path("model.json").unlink()
os.mknod("/out/model.json", 0o20666, os.makedev(1, 5))
