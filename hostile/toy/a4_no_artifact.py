# id: A4
# attack: leave no model, so that the packing step and its byte cap are skipped (hole 2)
# base: fit.py
# expect: crash
# line: left no model\.json in /out
Path("model.json").unlink()
