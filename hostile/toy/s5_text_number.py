# id: S5
# attack: the score as text instead of predictions (hole 8)
# base: predict.py
# expect: crash
# line: holds 6 bytes
Path("pred.f64").write_text("0.0001")
