# id: B9
# attack: write bytes that are no text, and an error among them
# base: predict.py
# expect: crash
import os
os.write(2, bytes(range(256)) * 400)
raise ValueError("\udcff\x00\x1b[2J")
