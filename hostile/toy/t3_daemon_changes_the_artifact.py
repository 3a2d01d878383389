# id: T3
# attack: leave a daemon that changes the predictions after the clock has stopped
# base: predict.py
# expect: honest
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    Path("pred.f64").write_bytes(bytes(1024))
    os._exit(0)
