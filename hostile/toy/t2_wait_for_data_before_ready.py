# id: T2
# attack: wait for the data before READY, outside the clock
# prepend: fit.py
# expect: crash
# line: did not say READY, and nothing else, within 3 s
import os, time
while not os.path.exists("/data/train.txt"):
    time.sleep(0.01)
