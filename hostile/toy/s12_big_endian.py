# id: S12
# attack: predictions in the other byte order
# base: predict.py
# expect: crash,disqualified
Path("pred.f64").write_bytes(struct.pack(">128d", *values))
