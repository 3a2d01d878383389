# id: S12
# attack: predictions cut in the middle of a number
# base: predict.py
# expect: crash
# line: holds 1021 bytes
Path("pred.f64").write_bytes(struct.pack("<128d", *values)[:-3])
