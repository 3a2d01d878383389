# id: S11
# attack: die by SIGKILL: a harness that blames the host would measure again
# base: fit.py
# expect: crash
# line: exited 137
import signal
os.kill(os.getpid(), signal.SIGKILL)
