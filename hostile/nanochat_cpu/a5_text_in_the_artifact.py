# id: A5
# attack: carry the training text itself over to serving
# prepend: train.py
# set: train.py STEPS = 60
# expect: size_blocked
# line: model\.bin has [\d,]+ bytes
import os
_exit = os._exit
def late(code):
    with open("model.bin", "ab") as out, open(os.environ["ESPALIER_DATA"] + "/train.txt", "rb") as text:
        out.write(text.read())
    _exit(code)
os._exit = late
