# id: D8
# attack: reach the host by its loopback, by name and by datagram
# base: predict.py
# expect: honest
import socket
assert [name for _, name in socket.if_nameindex()] == ["lo"], socket.if_nameindex()
for port in (22, 53, 80, 443, 8000, 8080):
    assert socket.socket().connect_ex(("127.0.0.1", port)) != 0
try:
    socket.getaddrinfo("localhost.localdomain.invalid", 80)
except OSError:
    pass
else:
    raise SystemExit("names resolve")
assert len(open("/proc/net/unix").readlines()) <= 3
