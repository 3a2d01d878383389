# id: T2
# attack: do not wait for GO: take the data as soon as it appears
# prepend: fit.py
# expect: honest
import os, time
_open = os.fdopen
class Eager:
    def __init__(self, pipe): self.pipe = pipe
    def write(self, body): return self.pipe.write(body)
    def readline(self):
        while not os.path.exists("/data/train.txt"): pass
        time.sleep(0.02)
        return b"GO 7\n"
os.fdopen = lambda *given, **more: Eager(_open(*given, **more))
