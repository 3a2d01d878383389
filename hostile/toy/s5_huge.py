# id: S5
# attack: finite numbers whose squares overflow
# base: predict.py
# expect: crash
# line: pred.f64 holds
Path("pred.f64").write_bytes(struct.pack("<128d", *[float("1e300")] * 128))
