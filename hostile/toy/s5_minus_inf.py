# id: S5
# attack: predictions of minus infinity (hole 12)
# base: predict.py
# expect: crash
# line: pred.f64 holds
Path("pred.f64").write_bytes(struct.pack("<128d", *[float("-inf")] * 128))
