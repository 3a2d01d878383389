# id: B5
# attack: take memory in files that no process maps
# base: predict.py
# expect: crash
import os
hog = []
for _ in range(40):
    hog.append(os.memfd_create("hog"))
    for _ in range(10): os.write(hog[-1], b"x" * 1_000_000)
