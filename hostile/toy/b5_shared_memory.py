# id: B5
# attack: take shared anonymous memory, which RLIMIT_DATA does not count
# base: predict.py
# expect: crash
# line: memory
import mmap
hog = []
for _ in range(40):
    hog.append(mmap.mmap(-1, 10_000_000))
    hog[-1].write(b"x" * 10_000_000)
