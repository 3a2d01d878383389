# id: A6
# attack: a link to a descriptor as the artifact
# base: fit.py
# expect: illegal
Path("model.json").unlink()
os.symlink("/proc/self/fd/0", "/out/model.json")
