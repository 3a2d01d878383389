# id: A6
# attack: a folder as the artifact
# base: fit.py
# expect: illegal
Path("model.json").unlink()
os.mkdir("/out/model.json")
