# id: A6
# attack: replace /out itself by a link
# base: fit.py
# expect: honest
import shutil
for change in (lambda: os.rename("/out", "/tmp/out"), lambda: os.rmdir("/out"), lambda: os.symlink("/tmp", "/out")):
    try:
        change()
    except OSError:
        continue
    raise SystemExit("/out can be replaced")
