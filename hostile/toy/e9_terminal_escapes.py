# id: E9
# attack: paint over the terminal of whoever reads the failure
# base: predict.py
# expect: crash
raise ValueError("\x1b[2J\x1b[1;1H\u202e 0042 keep 0.0001 \u2066\x07\r\n")
