# id: S11
# attack: send descriptors over the control pipe, to exhaust those of the harness
# file: fit.py
# expect: crash
# line: READY|OSError
import array, os, socket, time
pipe = socket.socket(fileno=int(os.environ["ESPALIER_CONTROL"]))
for _ in range(50):
    pipe.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2] * 80))])
pipe.send(b"\n")
time.sleep(5)
