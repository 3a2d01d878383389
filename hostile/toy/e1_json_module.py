# id: E1
# attack: shadow a module that the evaluator imports
# file: json.py
# expect: honest,crash
def loads(*_): return [0.0]
def dumps(*_): return "[]"
