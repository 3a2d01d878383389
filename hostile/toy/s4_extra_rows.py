# id: S4
# attack: append fifty invented rows to the predictions (hole 9)
# base: predict.py
# expect: size_blocked
# line: pred\.f64 has 1,424 bytes
with open("pred.f64", "ab") as file:
    file.write(bytes(8 * 50))
