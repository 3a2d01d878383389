# id: B9
# attack: end with an error line of 4 MB
# base: predict.py
# expect: crash
raise ValueError("x" * 4_000_000)
