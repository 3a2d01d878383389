# id: S5
# attack: a comparison with NaN is never false enough (hole 21)
# base: predict.py
# expect: crash
# line: pred.f64 holds
Path("pred.f64").write_bytes(struct.pack("<128d", *[float("nan")] * 128))
