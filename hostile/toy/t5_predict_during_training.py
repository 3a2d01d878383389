# id: T5
# attack: do the evaluation in the untimed or cheaper phase and skip it where it counts
# base: fit.py
# expect: crash
# line: left no pred\.f64
Path("pred.f64").write_bytes(bytes(1024))
# --- predict.py
raise SystemExit(0)
