# id: A3
# attack: fetch weights over the network at prediction time
# base: predict.py
# expect: crash
# line: OSError|refused|unreachable
import socket
socket.create_connection(("127.0.0.1", 80), 0.5)
