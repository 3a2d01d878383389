# id: B5
# attack: take memory until there is none
# base: predict.py
# expect: crash
hog = []
while True: hog.append(bytearray(10_000_000))
