# id: T3
# attack: keep the artifact mapped in a child that rewrites it while it is sealed
# base: predict.py
# expect: honest,crash,disqualified
import mmap, os
file = open("pred.f64", "r+b")
page = mmap.mmap(file.fileno(), 1024)
if os.fork() == 0:
    os.setsid()
    while True:
        page[:8] = os.urandom(8)
os._exit(0)
