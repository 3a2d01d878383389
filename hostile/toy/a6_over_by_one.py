# id: A6
# attack: an artifact one byte over the cap
# base: fit.py
# expect: size_blocked
# line: 1 over the 8,000
Path("model.json").write_bytes(b" " * 8001)
