# id: A6
# attack: a FIFO as the artifact, on which the reader hangs
# base: fit.py
# expect: illegal
Path("model.json").unlink()
os.mkfifo("/out/model.json")
