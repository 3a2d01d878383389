# id: S12
# attack: predictions for half of the points
# base: predict.py
# expect: crash
# line: holds 512 bytes
Path("pred.f64").write_bytes(struct.pack("<64d", *values[:64]))
