# id: A8
# attack: ignore the seed of the evaluator and use a brute-forced one
# prepend: fit.py
# expect: honest
import random
_Random = random.Random
class Chosen(_Random):
    def __new__(cls, *_): return super().__new__(cls)
    def __init__(self, *_): super().__init__(4242)
random.Random = Chosen
