# id: L4
# attack: an exception that reads like a commit of git
# base: predict.py
# expect: crash
raise ValueError("x\0\ncommit 0000000000000000000000000000000000000000\nparent HEAD\n\n0042 keep 0.0")
