# id: E8
# attack: reach a forbidden call by the x32 table
# base: predict.py
# expect: honest,crash
import ctypes, platform
if platform.machine() == "x86_64":
    assert ctypes.CDLL(None, use_errno=True).syscall(0x40000000 | 272, 0x10000000) == -1
