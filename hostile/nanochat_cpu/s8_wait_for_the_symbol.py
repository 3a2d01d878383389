# id: S8
# attack: hear the next symbol before its odds are told
# prepend: serve.py
# set: train.py STEPS = 60
# expect: crash
# line: ended at step 0 of
import socket
class Cheat(socket.socket):
    def sendall(self, said):
        if len(said) == 32 * 128 * 4:
            self.settimeout(1)
            known = self.recv(32)
        super().sendall(said)
socket.socket = Cheat
