# id: B13
# attack: an artifact whose nesting breaks a parser
# base: fit.py
# expect: crash
# line: predict
Path("model.json").write_text("[" * 3000)
