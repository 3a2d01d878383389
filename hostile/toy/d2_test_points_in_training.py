# id: D2
# attack: train on the test inputs
# base: fit.py
# expect: crash
# line: FileNotFoundError
Path("/data/points.txt").read_text()
