# id: B10
# attack: spend the seconds in a child whose usage nobody collects
# prepend: train.py
# expect: honest
import os, signal, time
_fdopen = os.fdopen
class Pipe:
    def __init__(self, pipe): self.pipe = pipe
    def write(self, body): return self.pipe.write(body)
    def readline(self):
        line = self.pipe.readline()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        if os.fork():
            while not os.path.exists("/out/done"): time.sleep(0.05)
            os._exit(0)
        return line
os.fdopen = lambda *given, **more: Pipe(_fdopen(*given, **more))
_exit = os._exit
def done(code):
    open("/out/done", "w").close()
    _exit(code)
os._exit = done
