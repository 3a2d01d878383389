# id: B8
# attack: fill /tmp and /dev/shm
# base: predict.py
# expect: honest
for folder in ("/tmp", "/dev/shm"):
    written = 0
    try:
        with open(f"{folder}/hog", "wb", buffering=0) as file:
            while written < 100_000_000: written += file.write(b"x" * 1_000_000)
    except OSError:
        pass
    assert written < 10_000_000, (folder, written)
