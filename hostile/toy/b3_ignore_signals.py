# id: B3
# attack: ignore every signal and go on
# base: predict.py
# expect: eval_budget_overrun
# line: killed at 1.0 s
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)
