# id: B12
# attack: raise the limits that the box was given
# base: predict.py
# expect: honest
import resource
for what in (resource.RLIMIT_CORE, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    try:
        resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        continue
    raise SystemExit(f"limit {what} can be raised")
