# id: E6
# attack: trace, signal or read the evaluator and the harness
# base: predict.py
# expect: honest
import ctypes, errno, os, platform, signal
call = ctypes.CDLL(None, use_errno=True).syscall
if platform.machine() == "x86_64":
    for number in (101, 310, 311):
        assert call(number, 16, 1, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM, number
for pid in range(2, 3000):
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
