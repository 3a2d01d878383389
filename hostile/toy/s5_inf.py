# id: S5
# attack: infinite predictions
# base: predict.py
# expect: crash
# line: pred.f64 holds
Path("pred.f64").write_bytes(struct.pack("<128d", *[float("inf")] * 128))
