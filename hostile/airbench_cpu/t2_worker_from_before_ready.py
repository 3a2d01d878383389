# id: T2
# attack: let a process that was born before READY do the work, hoping that its seconds are not counted
# prepend: train.py
# expect: honest
import os
if os.fork():
    _, status = os.wait()
    os._exit(os.waitstatus_to_exitcode(status))
