# id: S9
# attack: answer prompts with all lengths and endings at once, more bytes than a continuation has
# prepend: serve.py
# set: train.py STEPS = 60
# expect: crash,disqualified
import socket
class Cheat(socket.socket):
    said = 0
    def sendall(self, said):
        self.said += 1
        super().sendall(said + said if self.said == 2 else said)
socket.socket = Cheat
