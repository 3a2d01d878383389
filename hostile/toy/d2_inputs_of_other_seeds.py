# id: D2
# attack: read the inputs of the other seeds
# base: predict.py
# expect: honest
import glob
assert sorted(glob.glob("/data/*")) == ["/data/model.json", "/data/points.txt"], glob.glob("/data/*")
