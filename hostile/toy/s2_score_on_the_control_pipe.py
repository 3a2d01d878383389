# id: S2
# attack: say the score on the control pipe once the clock runs
# base: fit.py
# expect: honest
control.write(b'{"metrics": {"error": [0.0, 0.0]}}\nSCORE 0.0\nDONE 0.0\n' * 200)
