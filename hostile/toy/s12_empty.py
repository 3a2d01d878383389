# id: S12
# attack: an empty file of predictions
# base: predict.py
# expect: crash
# line: holds 0 bytes
Path("pred.f64").write_bytes(b"")
