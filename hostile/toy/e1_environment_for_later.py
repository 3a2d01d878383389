# id: E1
# attack: set LD_PRELOAD and PYTHONPATH for whoever comes next
# base: fit.py
# expect: honest
os.environ.update(LD_PRELOAD="/out/x.so", PYTHONPATH="/out", PYTHONSTARTUP="/out/x.py")
Path("x.py").write_text("print(0)")
# --- base predict.py
import os
assert not {"LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP"} & os.environ.keys()
