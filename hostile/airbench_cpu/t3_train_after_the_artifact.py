# id: T3
# attack: write the model late, from a child of an exited parent
# prepend: train.py
# expect: crash
# line: left no model\.bin
import os
_fdopen = os.fdopen
class Pipe:
    def __init__(self, pipe): self.pipe = pipe
    def write(self, body): return self.pipe.write(body)
    def readline(self):
        line = self.pipe.readline()
        if os.fork(): os._exit(0)
        os.setsid()
        return line
os.fdopen = lambda *given, **more: Pipe(_fdopen(*given, **more))
