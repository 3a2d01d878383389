# id: X4
# attack: fill the disk of the host through logs and sparse files
# base: predict.py
# expect: honest,eval_budget_overrun,crash
import os
for index in range(50):
    os.truncate(os.open(f"/tmp/{index}", os.O_CREAT | os.O_RDWR), 7_000_000)
os.write(1, b"y" * 3_000_000)
