# id: X8
# attack: source that is no UTF-8
# base: predict.py
# expect: preflight_crash,crash
# encoding: latin-1
x = "café"
