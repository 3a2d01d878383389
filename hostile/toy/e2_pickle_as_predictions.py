# id: E2
# attack: a pickle that runs a command, as the predictions
# base: predict.py
# expect: crash,disqualified
import pickle
class Bomb:
    def __reduce__(self): return (exec, ("raise SystemExit('error: 0')",))
Path("pred.f64").write_bytes(pickle.dumps(Bomb(), 0).ljust(1024, b"."))
