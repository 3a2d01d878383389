# id: B12
# attack: dump core
# base: predict.py
# expect: crash
# line: exited 134
import os, resource
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
os.abort()
