# id: E8
# attack: reach io_uring, bpf, userfaultfd, perf, AF_ALG and the new mount calls
# base: predict.py
# expect: honest
import ctypes, errno, platform, socket
call = ctypes.CDLL(None, use_errno=True).syscall
if platform.machine() == "x86_64":
    for number in (425, 426, 427, 321, 323, 298, 304, 428, 429, 430, 432, 442, 175, 246, 169):
        assert call(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM, number
try:
    socket.socket(38, socket.SOCK_SEQPACKET)
except OSError:
    pass
else:
    raise SystemExit("AF_ALG is open")
