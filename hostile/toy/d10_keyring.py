# id: D10
# attack: talk to another trial through a kernel keyring
# base: predict.py
# expect: honest
import ctypes, errno
call = ctypes.CDLL(None, use_errno=True).syscall
import platform
if platform.machine() == "x86_64":
    for number in (248, 249, 250):
        assert call(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM, number
