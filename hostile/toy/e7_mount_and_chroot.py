# id: E7
# attack: mount, chroot or pivot
# base: predict.py
# expect: honest
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1
assert libc.umount2(b"/data", 2) == -1
for change in (lambda: os.chroot("/tmp"), lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        change()
    except OSError:
        continue
    raise SystemExit("more rights than a box has")
assert os.getuid() != 0 and os.getgroups() in ([], [os.getgid()], [65534]), os.getgroups()
