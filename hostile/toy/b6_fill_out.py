# id: B6
# attack: fill /out
# base: predict.py
# expect: crash
# line: OSError
with open("/out/hog", "wb") as file:
    while True: file.write(b"x" * 1_000_000)
