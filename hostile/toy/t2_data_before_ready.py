# id: T2
# attack: train on the data before READY, outside the clock
# prepend: fit.py
# expect: crash
# line: FileNotFoundError
import sys
sys.path.insert(0, "/recipe")
open("/data/train.txt").read()
