# id: D2
# attack: fit again at prediction time, on the training points
# base: predict.py
# expect: crash
# line: FileNotFoundError
Path("/data/train.txt").read_text()
