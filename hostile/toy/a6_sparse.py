# id: A6
# attack: a sparse artifact of a terabyte
# base: fit.py
# expect: size_blocked,crash
# line: over the
with open("model.json", "r+b") as file:
    file.truncate(7_000_000)
