# id: S8
# attack: hear the requests before the clock runs, and think them over at no cost
# prepend: serve.py
# set: train.py STEPS = 60
# expect: crash
# line: heard nothing before GO
import os, socket
early = socket.socket(fileno=os.dup(int(os.environ["ESPALIER_DIALOGUE"])))
early.settimeout(2)
try:
    early.recv(12)
except TimeoutError:
    raise SystemExit("heard nothing before GO") from None
early.detach()
