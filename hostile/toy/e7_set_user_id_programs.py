# id: E7
# attack: become root by a set-user-id program
# base: predict.py
# expect: honest
import os, subprocess
assert "NoNewPrivs:\t1" in open("/proc/self/status").read()
assert "CapEff:\t0000000000000000" in open("/proc/self/status").read()
for program in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"):
    if os.path.exists(program):
        assert subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True).returncode is not None
