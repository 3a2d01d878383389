# id: T3
# attack: leave a daemon that finishes the model after the clock has stopped
# file: fit.py
# expect: crash
# line: left no model\.json
import os, time
control = open(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\n")
control.readline()

if os.fork() == 0:
    os.setsid()
    time.sleep(0.5)
    open("/out/model.json", "w").write("[0.1, 0.2, 0.3, 0.4, 0.5]")
    os._exit(0)
os._exit(0)
