# id: D10
# attack: talk to another trial through vsock or an abstract socket
# base: predict.py
# expect: honest
import socket
try:
    socket.socket(40, socket.SOCK_STREAM)
except OSError:
    pass
else:
    raise SystemExit("vsock is open")
assert not [x for x in open("/proc/net/unix") if "@" in x]
socket.socket(socket.AF_UNIX).bind("\0espalier-covert")
