# id: T4
# attack: keep the text of one seed for the next one's training
# prepend: predict.py
# expect: honest
# set: train.py STEPS = 60
import os, pathlib, socket
class Socket(socket.socket):
    def recv(self, *given):
        seen = super().recv(*given)
        for root in ("/tmp", "/dev/shm", "/out", "/recipe", "/data"):
            try:
                with open(f"{root}/kept.txt", "ab") as file:
                    file.write(seen)
            except OSError:
                pass
        return seen
socket.socket = Socket
# --- prepend train.py
import pathlib
if kept := [r for r in ("/tmp", "/dev/shm", "/out", "/recipe", "/data") if pathlib.Path(r, "kept.txt").exists()]:
    raise RuntimeError(f"found {kept}")
