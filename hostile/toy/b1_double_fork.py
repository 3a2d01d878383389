# id: B1
# attack: leave a daemon by double fork and setsid (hole 14)
# base: predict.py
# expect: honest
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
