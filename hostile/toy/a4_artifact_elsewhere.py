# id: A4
# attack: leave the model under another name
# base: fit.py
# expect: crash
# line: left no model\.json
Path("model.json").rename("Model.json")
