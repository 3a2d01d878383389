# id: B13
# attack: an artifact whose nesting breaks a parser
# base: fit.py
# expect: crash
# line: predict \(seed 1 of 2\)
Path("model.json").write_text("[" * 3000)
