# id: E5
# attack: swap the artifact between a file and a link until the end
# base: predict.py
# expect: honest,illegal,crash,disqualified
import os
os.link("pred.f64", "good"), os.symlink("/etc/passwd", "bad")
if os.fork() == 0:
    while True:
        os.replace("bad", "pred.f64")
        os.symlink("/etc/passwd", "bad")
        os.replace("good", "pred.f64")
        open("good", "wb").write(bytes(1024))
os._exit(0)
