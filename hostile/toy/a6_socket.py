# id: A6
# attack: a socket as the artifact
# base: fit.py
# expect: illegal
Path("model.json").unlink()
import socket
socket.socket(socket.AF_UNIX).bind("/out/model.json")
