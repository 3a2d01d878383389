# id: T1
# attack: patch every clock of the process (T1 beat the paper's code)
# prepend: fit.py
# expect: honest
import time
for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
print("elapsed 0.000 s")
