# id: S8
# attack: hear the requests before the clock runs, and think them over at no cost
# prepend: serve.py
# set: train.py STEPS = 60
# expect: honest
import os, socket
early = socket.socket(fileno=os.dup(int(os.environ["ESPALIER_DIALOGUE"])))
early.settimeout(2)
try:
    raise SystemExit(f"heard {early.recv(12)!r} before GO")
except TimeoutError:
    early.setblocking(True)
