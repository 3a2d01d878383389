# id: D9
# attack: use descriptors that the harness forgot to close
# base: predict.py
# expect: honest
import os
kept = {os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if n not in "012" and os.path.exists(f"/proc/self/fd/{n}")}
own = {"/recipe/predict.py", "/proc/%d/fd" % os.getpid()}
left = [k for k in kept if k not in own and not k.startswith("socket:")]
assert not left and len(kept) <= 3, kept
