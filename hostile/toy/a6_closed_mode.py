# id: A6
# attack: an artifact that nobody may read
# base: fit.py
# expect: honest,illegal
os.chmod("model.json", 0)
