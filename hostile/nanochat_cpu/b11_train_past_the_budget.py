# id: B11
# attack: train far longer than the budget allows
# prepend: train.py
# expect: train_budget_overrun
# line: train killed at
import builtins
range = lambda n: builtins.range(n if n < 10 else 100 * n)
