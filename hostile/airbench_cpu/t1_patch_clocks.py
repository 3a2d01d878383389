# id: T1
# attack: patch clocks and CPU accounting of the process
# prepend: train.py
# expect: honest
import os, resource, time
for name in ("time", "monotonic", "perf_counter", "process_time"):
    setattr(time, name, lambda: 0.0)
os.times = lambda: (0.0,) * 5
resource.getrusage = lambda _: (0,) * 16
