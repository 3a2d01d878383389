# id: S7
# attack: give every symbol enormous odds, so that their probabilities sum to far more than 1
# prepend: serve.py
# set: train.py STEPS = 60
# expect: disqualified
# line: bpb 7 misses
import socket, struct
class Cheat(socket.socket):
    def sendall(self, said):
        if len(said) == 32 * 128 * 4:
            said = struct.pack("<f", 3e38) * (32 * 128)
        super().sendall(said)
socket.socket = Cheat
