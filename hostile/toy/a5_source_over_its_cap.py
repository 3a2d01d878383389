# id: A5
# attack: a source larger than its own cap
# base: predict.py
# expect: size_blocked
# line: the source has
# pad: 20000
pass
