# id: S5
# attack: claim negative seconds and an accuracy of 9.9 in every file and stream (hole 8)
# base: predict.py
# expect: honest
for name in ("seconds", "accuracy.txt", "metrics.json"):
    Path(name).write_text("-5.0" if name == "seconds" else "9.9")
print("seconds: -5\naccuracy: 9.9")
