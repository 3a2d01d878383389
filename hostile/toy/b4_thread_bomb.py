# id: B4
# attack: start threads for ever
# base: predict.py
# expect: crash,eval_budget_overrun
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,)).start()
