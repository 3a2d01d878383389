# id: S4
# attack: leave results for seeds that nobody asked for (hole 9)
# base: predict.py
# expect: honest
for seed in range(20):
    Path(f"{seed}/predict").mkdir(parents=True)
    Path(f"{seed}/predict/pred.f64").write_bytes(bytes(1024))
