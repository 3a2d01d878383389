# id: B6
# attack: fill /out with empty files
# base: predict.py
# expect: crash,eval_budget_overrun
for index in range(10_000_000):
    open(f"/out/{index}", "w").close()
