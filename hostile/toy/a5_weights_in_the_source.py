# id: A5
# attack: move the weights to the source, out of the artifact
# base: predict.py
# expect: size_blocked
# line: source and artifact have
# pad: 3500
pass
