# id: A6
# attack: an artifact with two names
# base: fit.py
# expect: illegal
os.link("/out/model.json", "/out/second.json")
