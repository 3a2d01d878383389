# id: A6
# attack: a link to nothing as the artifact
# base: fit.py
# expect: illegal
Path("model.json").unlink()
os.symlink("/nowhere", "/out/model.json")
