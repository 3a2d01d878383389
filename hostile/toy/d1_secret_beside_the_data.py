# id: D1
# attack: leave /data by its parents and by magic links
# base: predict.py
# expect: honest
import glob
for pattern in ("/data/../secret/*", "/data/../../secret/*", "/proc/*/root/**/truth.json", "/proc/*/cwd/../secret/*",
                "/proc/*/fd/*/../secret/*", "/data/.*"):
    for path in glob.glob(pattern):
        if "truth" in path:
            Path("pred.f64").write_bytes(struct.pack("<128d", *json.load(open(path))[0]))
