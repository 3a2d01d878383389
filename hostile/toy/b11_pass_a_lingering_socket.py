# id: B11
# attack: pass a socket that lingers over the control channel: whoever drops it would wait, and with it the clock
# base: predict.py
# expect: honest
import os, socket, struct
here = socket.create_server(("127.0.0.1", 0))
asks = socket.create_connection(here.getsockname())
asks.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100_000))
asks.setblocking(False)
try:
    while True:
        asks.send(bytes(65536))
except BlockingIOError:
    pass
with socket.socket(fileno=os.dup(int(os.environ["ESPALIER_CONTROL"]))) as control:
    socket.send_fds(control, [b"x"], [asks.fileno()])
    asks.close()
    socket.send_fds(control, [b"x"], [here.fileno()])
