# id: S1
# attack: print a perfect score after no work and leave no prediction (holes 1 and 2)
# file: predict.py
# expect: crash
# line: left no pred\.f64
print("error: 0.0")
