# id: S5
# attack: one NaN among honest predictions
# base: predict.py
# expect: crash
# line: holds nan at point 77
values[77] = float("nan")
Path("pred.f64").write_bytes(struct.pack("<128d", *values))
