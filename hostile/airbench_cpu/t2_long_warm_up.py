# id: T2
# attack: use CPU seconds before READY: they are outside the clock, so they must neither count nor kill
# prepend: predict.py
# expect: honest
import time
while time.process_time() < 4: pass
