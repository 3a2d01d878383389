# id: S1
# attack: print an accuracy and a time before the work, as the released airbench script does (holes 1, 8)
# prepend: predict.py
# expect: honest
print("accuracy: 0.9999\nseconds: 0.001\nfinal 0.9683", flush=True)
