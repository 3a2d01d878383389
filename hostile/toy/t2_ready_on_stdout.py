# id: T2
# attack: say READY on standard output, where a log could start a clock
# file: fit.py
# expect: crash
# line: ended without READY
print("READY", flush=True)
