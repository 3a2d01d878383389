# id: A6
# attack: a link to a file of the host as the artifact (hole 20)
# base: fit.py
# expect: illegal
# line: something else than a plain file
Path("model.json").unlink()
os.symlink("/etc/passwd", "/out/model.json")
