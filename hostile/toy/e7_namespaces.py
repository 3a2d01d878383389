# id: E7
# attack: make a user namespace of one's own and become root in it
# base: predict.py
# expect: honest
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for flags in (0x10000000, 0x00020000, 0x40000000, 0x20000000):
    assert libc.unshare(flags) == -1 and ctypes.get_errno() == errno.EPERM, hex(flags)
