# id: E2
# attack: a pickle that runs a command, as the model
# base: fit.py
# expect: crash
# line: predict
import pickle
class Bomb:
    def __reduce__(self): return (os.system, ("touch /tmp/espalier-hostile-owned",))
Path("model.json").write_bytes(pickle.dumps(Bomb()))
