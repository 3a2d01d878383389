# id: B11
# attack: train far longer than the budget allows
# prepend: train.py
# expect: train_budget_overrun
# line: train \(seed 1 of 1\) killed at
import builtins
range = lambda n: builtins.range(n if n < 10 else 100 * n)
