# id: S9
# attack: continue prompts with bytes that are no symbols, hoping that they are dropped or match anything
# prepend: serve.py
# set: train.py STEPS = 60
# expect: honest
import socket
class Cheat(socket.socket):
    said = 0
    def sendall(self, said):
        self.said += 1
        super().sendall(b"\xff\x00\x80*?\n" * (len(said) // 6) if self.said == 2 else said)
socket.socket = Cheat
